"""A table keeps both its orders, and picks fairly."""

from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.table import Table


@dataclass
class Item:
    id: str


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60))
def test_both_orders_follow_any_history_of_adding_and_removing(
    history: list[tuple[bool, int]],
) -> None:
    table, model = Table[Item](), dict[str, Item]()
    for adds, n in history:
        id_ = f"{n:02}"
        if adds and id_ not in model:
            model[id_] = table.add(Item(id_))
        elif not adds and id_ in model:
            assert table.remove(id_) is model.pop(id_)
        assert table.sorted_ids() == sorted(model)
    assert [item.id for item in table] == list(model)
    assert [item.id for item in reversed(table)] == list(reversed(model))


def test_every_item_is_picked_and_nothing_from_an_empty_table() -> None:
    table, random = Table[Item](), Random(1)
    assert table.pick(random) is None
    for n in range(5):
        table.add(Item(str(n)))
    table.remove("0")
    picked = {item.id for _ in range(200) if (item := table.pick(random)) is not None}
    assert picked == {"1", "2", "3", "4"}
