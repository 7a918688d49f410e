"""What is kept of what cannot be read: enough to find out why, and no secret."""

import bz2
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catcher.decoding.remains import harmless, remains_of

SECRET = "s3cr3t"
INNER = {"_context_auth_token": SECRET, "event_type": 7, "payload": {"connector": {"x": SECRET}}}
ENVELOPE = {"oslo.version": "2.0", "oslo.message": json.dumps(INNER)}


def test_json_keeps_everything_but_its_secrets() -> None:
    kept = json.loads(remains_of(json.dumps(INNER).encode()))

    assert kept["event_type"] == 7
    assert SECRET not in json.dumps(kept)


def test_json_within_json_is_looked_into() -> None:
    kept = json.loads(remains_of(json.dumps(ENVELOPE).encode()))

    assert kept["oslo.version"] == "2.0"
    assert json.loads(kept["oslo.message"])["event_type"] == 7
    assert SECRET not in json.dumps(kept)


def test_without_a_secret_not_a_byte_changes() -> None:
    for body in (b'{"a":  1}', b"no JSON", b"", b"\xff\xfe", b'{"token": null, "b": [1,'):
        assert remains_of(body) == body


@pytest.mark.parametrize("pack", [zlib.compress, bz2.compress])
def test_what_is_compressed_is_looked_into(pack: object) -> None:
    assert callable(pack)
    kept = remains_of(pack(json.dumps(INNER).encode()))

    assert SECRET.encode() not in kept
    assert b'"event_type":7' in kept


@pytest.mark.parametrize("body", [json.dumps(INNER), json.dumps(ENVELOPE), repr(INNER)])
def test_wherever_a_message_is_cut_off_no_secret_is_left(body: str) -> None:
    whole = body.index(SECRET) + len(SECRET)
    for end in range(len(body)):
        kept = remains_of(body[:end].encode()).decode()

        assert SECRET not in kept, body[:end]
        if end < body.index("auth_token"):
            assert kept == body[:end]
    assert whole < len(body)


def test_a_value_that_is_a_text_is_replaced_and_what_follows_stays() -> None:
    kept = remains_of(b'{"password": "s3cr3t", "host": "h1", oops')

    assert kept == b'{"password": "[removed]", "host": "h1", oops'


def test_after_anything_else_under_the_name_of_a_secret_the_rest_goes() -> None:
    kept = remains_of(b'{"host": "h1", "connection_info": {"data": "s3cr3t"}, oops')

    assert kept.startswith(b'{"host": "h1", "connection_info": ')
    assert b"s3cr3t" not in kept
    assert b"what followed may have been a secret" in kept


@pytest.mark.parametrize("depth", [300, 900, 5000])
def test_what_is_nested_too_deeply_to_look_into_loses_its_secrets_all_the_same(depth: int) -> None:
    inner = '{"a":' * depth + '{"password": "s3cr3t"}' + "}" * depth
    for body in (inner, json.dumps({"oslo.version": "2.0", "oslo.message": inner})):
        assert SECRET.encode() not in remains_of(body.encode())


def test_a_reason_quotes_no_secret() -> None:
    assert SECRET not in harmless("""payload is {'auth_token': 's3cr3t', 'a': 1}, not a name""")


@given(st.binary(max_size=200))
def test_whatever_the_bytes_something_is_kept(body: bytes) -> None:
    assert isinstance(remains_of(body), bytes)
