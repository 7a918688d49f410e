"""What a receiver's answer to a webhook means, by Standard Webhooks; pure."""

from datetime import datetime
from http import HTTPStatus

from services.processor.actions.port import Done, Never, Outcome, TryAgain
from shared.openstack.replies import one_line, retry_after_seconds


def meaning(status: int, retry_after: str | None, detail: bytes, *, now: datetime) -> Outcome:
    """Return what to do after an answer with `status`; `detail` is the beginning of its body.

    Only 2xx means that the receiver has it, and only 410 that it never wants it. A 401 or a 404 may
    be mended within the time for tries, so it is tried again like a 503.
    """
    if status // 100 == 2:  # noqa: PLR2004 - the class of success
        return Done(f"HTTP {status}")
    told = one_line(detail.decode(errors="replace"))
    reason = f"HTTP {status}: {told}" if told else f"HTTP {status}"
    if status == HTTPStatus.GONE:
        return Never(f"{reason}; the receiver is gone for good")
    if status // 100 == 3:  # noqa: PLR2004 - the class of redirects
        return TryAgain(f"HTTP {status}: redirects are not followed; give the final address")
    return TryAgain(reason, retry_after_seconds(retry_after, now=now))
