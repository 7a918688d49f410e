import pytest

from shared.redaction import MARKER, names_a_secret, redact


@pytest.mark.parametrize(
    "key",
    [
        "auth_token",
        "_context_auth_token",
        "X-Auth-Token",
        "adminPass",
        "admin_pass",
        "password",
        "auth_password",
        "secret",
        "client_secret",
        "private_key",
        "service_catalog",
        "connection_info",
        "connector",
        "user_data",
        "provider_auth",
        "_context_aws_creds",
        "api_key",
    ],
)
def test_secrets_are_known_by_the_names_of_their_keys(key: str) -> None:
    assert redact({key: "s3cr3t"}) == {key: MARKER}


@pytest.mark.parametrize(
    "key",
    ["id", "key_name", "public_key", "encryption_key_id", "name", "state", "author", "user_id"],
)
def test_other_keys_stay(key: str) -> None:
    assert not names_a_secret(key)
    assert redact({key: "value"}) == {key: "value"}


def test_a_whole_object_under_a_secret_key_is_replaced() -> None:
    assert redact({"connection_info": {"data": {"target": "t"}}}) == {"connection_info": MARKER}


def test_secrets_are_found_at_any_depth() -> None:
    value = {"a": [1, {"b": [{"auth_token": "t", "c": 1}]}], "d": {"e": {"password": ["p"]}}}

    assert redact(value) == {
        "a": [1, {"b": [{"auth_token": MARKER, "c": 1}]}],
        "d": {"e": {"password": MARKER}},
    }


@pytest.mark.parametrize("nothing", [None, "", False, True])
def test_an_absent_secret_stays_as_it_is(nothing: object) -> None:
    assert redact({"auth_token": nothing}) == {"auth_token": nothing}


@pytest.mark.parametrize(
    ("row", "clean"),
    [
        (
            {"key": "admin_password", "value": "p"},
            {"key": "admin_password", "value": MARKER},
        ),
        (
            {"name": "partial_password_hash", "content": "EpDK"},
            {"name": "partial_password_hash", "content": MARKER},
        ),
        ({"key": "tier", "value": "gold"}, {"key": "tier", "value": "gold"}),
    ],
)
def test_rows_that_name_their_secret_are_cleaned(row: object, clean: object) -> None:
    assert redact([row]) == [clean]


def test_a_clean_value_is_returned_untouched() -> None:
    value = {"a": [{"b": 1}], "c": {"auth_token": None}}

    assert redact(value) is value


def test_what_is_given_is_not_changed() -> None:
    value = {"a": [{"token": "t"}]}
    redact(value)

    assert value == {"a": [{"token": "t"}]}


def test_a_secret_at_the_bottom_of_a_deep_value_costs_one_walk() -> None:
    value: object = {"token": "t"}
    for _ in range(150):
        value = {"inner": value}

    assert "'t'" not in repr(redact(value))
