"""Signatures by Standard Webhooks."""

import base64

import pytest

from services.processor.actions.signing import secret_bytes, signature_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_example_of_the_specifications_libraries_is_signed_as_they_sign_it() -> None:
    headers = signature_headers(
        [secret_bytes(SECRET)],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=BODY,
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_make_two_signatures_each_good_alone() -> None:
    new, old = b"n" * 32, b"o" * 32
    both, of_new, of_old = (
        signature_headers(keys, message_id="a", timestamp=1, body=BODY)["webhook-signature"]
        for keys in ([new, old], [new], [old])
    )

    assert both.split(" ") == [of_new, of_old]


def test_without_a_secret_the_key_is_told_and_nothing_is_signed() -> None:
    headers = signature_headers([], message_id="a", timestamp=1, body=BODY)

    assert headers == {"webhook-id": "a", "webhook-timestamp": "1"}


@pytest.mark.parametrize(
    "text", ["whsec_short", "whsec_!!!", "", base64.b64encode(b"x" * 65).decode()]
)
def test_what_is_no_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="a secret") as caught:
        secret_bytes(text)

    assert not text or text not in str(caught.value)
