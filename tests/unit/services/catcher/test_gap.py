from services.catcher.gap import gap_event
from services.refresher.resources import ALL
from shared.catalogue.load import builtin
from shared.catalogue.targets import targets
from shared.event import Event
from shared.target import BY_KIND
from tests.support.events import NOON


def gap() -> Event:
    return gap_event(
        id_="gap-1", cloud="prod", source="osevents.prod", reason="queue expired", now=NOON
    )


def test_a_gap_asks_for_a_full_pass_of_every_kind_that_is_refreshed() -> None:
    asked = {(target.kind, target.by) for target in targets(gap(), builtin())}

    assert asked == {(kind, BY_KIND) for kind in ALL}


def test_the_catalogue_knows_the_type_of_a_gap() -> None:
    assert builtin().lookup(gap().type, gap().service).known


def test_a_gap_says_why() -> None:
    assert gap().payload == {"source": "osevents.prod", "reason": "queue expired"}
