from typing import Any

import pytest

from shared.openstack.paging import items_of, next_params


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
