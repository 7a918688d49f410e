"""The forms that the planner chooses, kind by kind."""

import pytest

from services.refresher.learning import Lessons, Room, Size
from services.refresher.planner import Form, plan
from services.refresher.resources import ALL
from shared.target import BY_KIND
from tests.support.refresh import claims


@pytest.mark.parametrize(
    ("kind", "count", "form", "reads"),
    [
        ("port", 1, Form.SINGLE, 1),
        ("port", 2, Form.FILTER, 1),
        ("port", 51, Form.FILTER, 1),
        ("volume", 20, Form.FILTER, 1),
        ("image", 3, Form.FILTER, 1),
        ("server", 1, Form.SINGLE, 1),
        ("server", 2, Form.SINCE, 1),
        ("project", 19, Form.SINGLE, 19),
        ("project", 20, Form.EVERYTHING, 1),
    ],
)
def test_the_form_follows_the_api_and_the_number(
    kind: str, count: int, form: Form, reads: int
) -> None:
    planned = plan(claims(kind, *(f"id-{number}" for number in range(count))), ALL).reads
    assert [read.form for read in planned if read.form is form] == [form] * reads


def test_neutron_ids_are_a_repeated_parameter() -> None:
    (read,) = plan(claims("port", "a", "b"), ALL).reads
    assert read.params == (("limit", "500"), ("id", "a"), ("id", "b"))


def test_glance_ids_are_one_parameter_with_all_visibilities() -> None:
    (read,) = plan(claims("image", "a", "b"), ALL).reads
    assert read.params == (("visibility", "all"), ("limit", "1000"), ("id", "in:a,b"))


def test_cinder_ids_are_a_python_list() -> None:
    (read,) = plan(claims("volume", "a", "b"), ALL).reads
    assert read.params == (("limit", "1000"), ("id", "['a','b']"))


def test_ports_of_several_servers_are_one_read() -> None:
    (read,) = plan(claims("port", "vm1", "vm2", by="device_id"), ALL).reads
    assert read.params == (("limit", "500"), ("device_id", "vm1"), ("device_id", "vm2"))


def test_a_filter_that_cannot_be_repeated_is_asked_for_one_value_at_a_time() -> None:
    reads = plan(claims("snapshot", "v1", "v2", by="volume_id"), ALL).reads
    assert [read.params[-1] for read in reads] == [("volume_id", "v1"), ("volume_id", "v2")]


def test_what_cannot_be_read_alone_is_read_as_a_whole_kind() -> None:
    (read,) = plan(claims("availability_zone", "nova"), ALL).reads
    assert (read.form, read.keys) == (Form.EVERYTHING, ("nova",))


def test_a_whole_kind_is_a_pass_and_not_a_read() -> None:
    planned = plan(claims("port", "", by=BY_KIND), ALL)
    assert (len(planned.passes), planned.reads) == (1, ())


@pytest.mark.parametrize(
    ("kind", "key", "by"),
    [("secret", "a", "id"), ("server", "a", "host"), ("port", "", "id"), ("port", "x" * 256, "id")],
)
def test_what_no_api_answers_is_unreadable(kind: str, key: str, by: str) -> None:
    planned = plan(claims(kind, key, by=by), ALL)
    assert len(planned.unreadable) == 1


def test_servers_are_listed_by_what_changed_since_the_oldest_ask() -> None:
    (read,) = plan(claims("server", "a", "b", "c", "d"), ALL).reads
    assert read.params[-1] == ("changes-since", "2026-11-23T11:59:50Z")


def test_a_list_of_changes_that_shows_few_is_for_many_only() -> None:
    lessons = Lessons()
    for _ in range(20):
        lessons.saw("server", wanted=10, shown=0)
    few, many = claims("server", *"abc"), claims("server", *map(str, range(20)))
    assert {read.form for read in plan(few, ALL, lessons).reads} == {Form.SINGLE}
    assert {read.form for read in plan(many, ALL, lessons).reads} == {Form.SINCE}


def test_a_query_grows_while_it_works_and_never_again_to_what_failed() -> None:
    room = Room()
    room.worked(50, 2900)
    assert room.fits(100, 6000)
    room.failed(6000)
    assert not room.fits(100, 3601)
    for _ in range(10):
        room.worked(room.keys, room.query_bytes)
    assert room.fits(400, 4500)
    assert not room.fits(400, 4501)


def test_a_whole_list_is_read_where_it_was_short_and_nothing_else_takes_several() -> None:
    lessons = Lessons()
    asked = claims("attachment", "v1", "v2", "v3", by="volume_id")
    assert len(plan(asked, ALL, lessons).reads) == 3
    lessons.sizes["attachment"] = Size(pages=1, objects=100)
    (read,) = plan(asked, ALL, lessons).reads
    assert (read.form, read.params) == (Form.EVERYTHING, ALL["attachment"].list_params)
    lessons.sizes["attachment"] = Size(pages=9, objects=9000)
    assert len(plan(asked, ALL, lessons).reads) == 3
