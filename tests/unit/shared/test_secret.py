"""Passwords in URLs do not show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.secret import SecretURL, mask


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://osevents:hush@db/osevents", "postgresql://osevents:***@db/osevents"),
        ("postgresql://osevents@db/osevents", "postgresql://osevents@db/osevents"),
        ("postgresql:///x?host=/run&password=hush", "postgresql:///x?host=/run&password=***"),
        ("amqp://a:hush@[::1]:5672/v", "amqp://a:***@[::1]:5672/v"),
        ("rabbit://a:hush@one:1,b:hush2@two:2/", "rabbit://a:***@one:1,b:***@two:2/"),
        ("rabbit://a:hu/sh@one/", "rabbit://***"),
        ("rabbit://a:hu@sh@one/", "rabbit://***"),
        ("rabbit://a:hu,sh@one/", "rabbit://***"),
        ("hush", "***"),
    ],
)
def test_a_url_is_shown_without_its_passwords(url: str, shown: str) -> None:
    assert mask(url) == shown


def test_a_secret_url_shows_itself_masked_everywhere_but_on_demand() -> None:
    url = SecretURL("amqp://a:hush@host/")
    assert "hush" not in f"{url} {url!r} {[url]}"
    assert url.reveal() == "amqp://a:hush@host/"


@given(st.text(alphabet="h:/@,?#[]=& .%-", max_size=8), st.text(alphabet="h:/@,?#[]=&", max_size=8))
def test_no_character_around_a_password_lets_it_out(before: str, after: str) -> None:
    assert "HUSH" not in mask(f"rabbit://user:{before}HUSH{after}@host:5672/vhost")
