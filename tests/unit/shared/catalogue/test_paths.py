import pytest

from shared.catalogue.paths import collector, problem_of, reader, unwrapped

PAYLOAD = {
    "id": "i",
    "number": 7,
    "empty": "",
    "null": None,
    "flag": True,
    "port": {"id": "p"},
    "ports": [{"id": "a"}, {"id": None}, {"id": "b"}, 3],
    "ids": ["x", "y"],
    "arn": "arn:openstack:heat::project:stacks/name/id-1",
    "wrapped": {"nova_object.name": "N", "nova_object.data": {"state": "s"}},
}


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        (["id"], "i"),
        (["number"], "7"),
        (["empty", "id"], "i"),
        (["null", "missing", "port/id"], "p"),
        (["flag"], None),
        (["port"], None),
        (["port/id/deeper"], None),
        (["id/deeper"], None),
        (["arn|tail"], "id-1"),
        (["id|tail"], "i"),
        (["missing|tail"], None),
        (["ports/0/id"], "a"),
        (["wrapped/state"], "s"),
        (["id+port/id"], "i/p"),
        (["id+missing", "number"], "7"),
    ],
)
def test_a_reader_gives_the_first_text_there_is(paths: list[str], text: str | None) -> None:
    read = reader(paths)

    assert read is not None
    assert read(PAYLOAD) == text


def test_no_paths_give_no_reader() -> None:
    assert reader([]) is None


@pytest.mark.parametrize(
    ("paths", "texts"),
    [
        (["ports/*/id"], ("a", None, "b", None)),
        (["ids/*"], ("x", "y")),
        (["missing/*/id", "port/id"], ("p",)),
        (["port/*/id"], ()),
        ([], ()),
    ],
)
def test_a_collector_gives_the_texts_of_the_first_path_that_has_any(
    paths: list[str], texts: tuple[str | None, ...]
) -> None:
    assert tuple(collector(paths)(PAYLOAD)) == texts


def test_a_versioned_object_is_unwrapped() -> None:
    assert unwrapped({"x_object.name": "N", "x_object.data": {"a": 1}}) == {"a": 1}
    assert unwrapped({"x_object.data": None}) == {}
    assert unwrapped({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("path", ["", "a//b", "/a", "a/", "a/*/b/*", "a+", "a+b/*"])
def test_a_path_that_makes_no_sense_is_told(path: str) -> None:
    assert problem_of(path)


@pytest.mark.parametrize("path", ["a", "a/b", "a/*/b", "a|tail", "binding:host_id", "a+b/c"])
def test_others_are_fine(path: str) -> None:
    assert problem_of(path) is None
