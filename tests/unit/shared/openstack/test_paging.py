from typing import Any

import pytest

from shared.openstack.paging import Paging, following, items_of, next_params


@pytest.mark.parametrize(
    ("collection", "reply", "params"),
    [
        ("servers", {"servers": []}, None),
        (
            "servers",
            {
                "servers_links": [
                    {"rel": "next", "href": "http://x/servers/detail?limit=2&marker=m"}
                ]
            },
            (("limit", "2"), ("marker", "m")),
        ),
        ("ports", {"ports_links": [{"rel": "previous", "href": "http://x/?marker=m"}]}, None),
        ("images", {"next": "/v2/images?marker=m&name="}, (("marker", "m"), ("name", ""))),
        ("projects", {"links": {"next": None, "self": "http://x"}}, None),
        ("projects", {"links": {"next": "http://x/?marker=m"}}, (("marker", "m"),)),
        ("volumes", {"volumes_links": None}, None),
        (
            "backups",
            {"backup_links": [{"rel": "next", "href": "http://x/?marker=m"}]},
            (("marker", "m"),),
        ),
        (
            "stacks",
            {
                "links": [
                    {"rel": "self", "href": "x"},
                    {"rel": "next", "href": "http://x/?marker=m"},
                ]
            },
            (("marker", "m"),),
        ),
    ],
)
def test_the_next_page_is_found_in_every_services_reply(
    collection: str, reply: dict[str, Any], params: tuple[tuple[str, str], ...] | None
) -> None:
    assert next_params(reply, collection) == params


@pytest.mark.parametrize("reply", [None, [], {}, {"ports": None}, {"ports": ["id"]}])
def test_what_is_no_list_of_objects_is_an_error(reply: Any) -> None:
    with pytest.raises(ValueError, match="'ports'"):
        items_of(reply, "ports")


def test_a_list_may_be_the_reply_itself() -> None:
    assert items_of([{"name": "a"}], "") == [{"name": "a"}]
    with pytest.raises(ValueError, match="no list"):
        items_of({"containers": []}, "")


ASKED = (("limit", "2"), ("format", "json"))


@pytest.mark.parametrize(
    ("paging", "items", "asked", "params"),
    [
        (Paging.OFFSET, ["a", "b"], ASKED, (*ASKED, ("offset", "2"))),
        (Paging.OFFSET, ["c", "d"], (*ASKED, ("offset", "2")), (*ASKED, ("offset", "4"))),
        (Paging.OFFSET, ["a"], ASKED, None),
        (Paging.OFFSET, [], ASKED, None),
        (Paging.MARKER, ["a", "b"], ASKED, (*ASKED, ("marker", "b"))),
        (Paging.MARKER, ["c"], (*ASKED, ("marker", "b")), None),
        (Paging.LINKS, ["a", "b"], ASKED, None),
    ],
)
def test_lists_without_links_go_on_at_an_offset_or_after_a_marker(
    paging: Paging,
    items: list[str],
    asked: tuple[tuple[str, str], ...],
    params: tuple[tuple[str, str], ...] | None,
) -> None:
    found = [{"id": id_} for id_ in items]
    assert following(paging, {"things": found}, "things", found, asked) == params


def test_what_has_no_id_is_marked_by_its_name() -> None:
    found = [{"name": "a"}, {"name": "b"}]
    assert following(Paging.MARKER, found, "", found, ASKED) == (*ASKED, ("marker", "b"))


@pytest.mark.parametrize(("shown", "goes_on"), [(99, False), (100, True), (500, True)])
def test_a_page_that_a_service_capped_is_not_the_last(shown: int, *, goes_on: bool) -> None:
    found = [{"id": f"{number}"} for number in range(shown)]
    query = following(Paging.OFFSET, {}, "things", found, (("limit", "1000"),))
    assert (query is not None) is goes_on
