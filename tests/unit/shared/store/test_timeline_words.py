"""The words of an event."""

from typing import Any

import pytest

from shared.store.timeline_words import message_of, query_of, words_of


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"message": "Quota exceeded"}, "Quota exceeded"),
        ({"state_reason": "Resource CREATE failed"}, "Resource CREATE failed"),
        ({"exception": {"kwargs": {"reason": "hidden"}, "message": "No disk"}}, "No disk"),
        (
            {
                "nova_object.data": {
                    "fault": {"nova_object.data": {"exception": "E", "exception_message": "Gone"}}
                }
            },
            "E; Gone",
        ),
        ({"message": " ", "fault": None, "reason": 5}, None),
        ({"message": "same", "reason": "same"}, "same"),
        (["message"], None),
        (None, None),
    ],
)
def test_a_payload_says_in_words_what_went_wrong(payload: Any, message: str | None) -> None:
    assert message_of(payload) == message


def test_a_payload_that_goes_deep_is_left_at_some_depth() -> None:
    payload: dict[str, Any] = {"message": "deepest"}
    for _ in range(1000):
        payload = {"fault": payload}

    assert message_of(payload) is None


def test_a_long_message_is_cut() -> None:
    message = message_of({"message": "x" * 10_000})

    assert message is not None
    assert len(message) == 2000


def test_words_are_letters_and_digits_in_lower_case_each_once() -> None:
    assert words_of("Web-1.example", None, "web_2 ÜBER 10") == [
        "web",
        "1",
        "example",
        "2",
        "über",
        "10",
    ]


def test_a_row_has_so_many_words_of_some_length_at_most() -> None:
    words = words_of("x" * 5000 + " " + " ".join(map(str, range(1000))))

    assert len(words) == 100
    assert len(words[0]) == 100


def test_a_query_wants_every_word_and_the_beginning_of_the_last() -> None:
    assert query_of("Web-1") == "'web' & '1':*"


def test_a_text_without_a_word_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'--' holds no word"):
        query_of("--")
