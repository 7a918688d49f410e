"""Whatever is claimed, the plan covers it once, within the budgets."""

from collections import Counter
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from services.refresher.learning import FIRST_KEYS, FIRST_QUERY, Lessons
from services.refresher.planner import Form, halves, plan
from services.refresher.resources import ALL
from shared.target import BY_ID, BY_KIND
from tests.support.refresh import Claimed, target

KINDS = st.sampled_from([*ALL, "flavor", ""])
BYS = st.sampled_from([BY_ID, BY_KIND, "device_id", "network_id", "no_such_field"])
KEYS = st.one_of(
    st.uuids().map(str),
    st.text(alphabet="ab,'[]&=/. ", max_size=5),
    st.text(max_size=300),
    st.text(alphabet="x%é", min_size=60, max_size=255),
)
CLAIMS = st.lists(
    st.builds(lambda kind, by, key: Claimed(target(kind, key, by)), KINDS, BYS, KEYS),
    max_size=200,
)
MANY_PORTS = st.lists(st.uuids().map(str), min_size=2, max_size=300, unique=True)


@given(CLAIMS)
def test_every_claim_stands_in_exactly_one_place(claims: list[Claimed]) -> None:
    planned = plan(claims, ALL)
    placed = [claim for read in planned.reads for claim in read.claims]
    placed += [*planned.passes, *planned.unreadable]
    assert Counter(map(id, placed)) == Counter(map(id, claims))


@given(CLAIMS)
def test_no_read_exceeds_the_budgets(claims: list[Claimed]) -> None:
    for read in plan(claims, ALL).reads:
        if read.form is Form.FILTER:
            assert len(read.keys) <= FIRST_KEYS
            assert len(read.keys) == 1 or len(urlencode(read.params)) <= FIRST_QUERY
        if read.form is Form.SINGLE:
            assert len(read.keys) == 1


@given(CLAIMS)
def test_a_read_is_of_one_kind_and_one_field(claims: list[Claimed]) -> None:
    for read in plan(claims, ALL).reads:
        assert {(claim.target.kind, claim.target.by) for claim in read.claims} == {
            (read.resource.kind, read.by)
        }


@given(CLAIMS)
def test_what_could_change_the_meaning_of_a_filter_of_ids_is_read_alone(
    claims: list[Claimed],
) -> None:
    for read in plan(claims, ALL).reads:
        if read.form is Form.FILTER and read.by == BY_ID:
            assert not set("".join(read.keys)) & set(",'\"[]\\& \n")


@given(MANY_PORTS)
def test_as_few_reads_as_the_budget_allows(ids: list[str]) -> None:
    reads = plan([Claimed(target("port", id_)) for id_ in ids], ALL).reads
    assert len(reads) == -(-len(ids) // FIRST_KEYS)


@given(MANY_PORTS)
def test_halving_a_read_loses_nothing_and_ends(ids: list[str]) -> None:
    claims = [Claimed(target("port", id_)) for id_ in ids[:FIRST_KEYS]]
    (read,) = plan(claims, ALL).reads
    todo, done = [read], []
    while todo:
        one = todo.pop()
        if len(one.keys) == 1:
            done += list(one.claims)
            continue
        parts = halves(one, Lessons())
        assert all(len(part.keys) < len(one.keys) for part in parts)
        todo += parts
    assert sorted(claim.target.key for claim in done) == sorted(ids[:FIRST_KEYS])
