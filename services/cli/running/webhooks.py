"""The webhook's listener from the settings, and what is wrong with them."""

import ssl
from collections.abc import Iterator

from services.catcher.plans import WebhookPlan
from services.catcher.sources.webhook_listener import Credentials, Limits, WebhookListener
from shared.errors import Misconfigured, Problem
from shared.runtime.sections import CloudSettings, ListenerSettings
from shared.runtime.settings import Settings


def check_webhooks(settings: Settings) -> Iterator[Problem]:
    """Yield everything that would keep a webhook from working, or make it one for everybody."""
    paths: dict[str, str] = {}
    for cloud in settings.clouds:
        if cloud.source != "webhook":
            continue
        place = f"clouds[{cloud.name}].webhook"
        if cloud.webhook.password is None and settings.webhook.client_ca is None:
            yield Problem(
                f"{place}.password",
                "is needed, or anybody could post events; or set webhook.client_ca, for client"
                " certificates",
            )
        other = paths.setdefault(cloud.webhook_path, cloud.name)
        if other != cloud.name:
            yield Problem(f"{place}.path", f"{cloud.webhook_path} is that of cloud {other} already")
    if paths:
        try:
            tls_of(settings.webhook)
        except Misconfigured as error:
            yield from error.problems


def listener_of(settings: Settings) -> WebhookListener:
    """Return the listener; it opens no port yet. Raises Misconfigured."""
    wanted = settings.webhook
    limits = Limits(
        body_bytes=wanted.body_bytes,
        room_bytes=wanted.room_bytes,
        requests=wanted.requests,
        answer_within=wanted.answer_within,
    )
    return WebhookListener(wanted.host, wanted.port, limits=limits, tls=tls_of(wanted))


def webhook_plan(cloud: CloudSettings, listener: WebhookListener) -> WebhookPlan:
    """Return how to wait for what is posted for `cloud`."""
    password = cloud.webhook.password
    credentials = Credentials(
        cloud.webhook.user, password.get_secret_value() if password is not None else None
    )
    return WebhookPlan(cloud.name, listener, cloud.webhook_path, credentials)


def tls_of(wanted: ListenerSettings) -> ssl.SSLContext | None:
    """Return how to speak TLS, None for plain HTTP; raises Misconfigured."""
    if wanted.certificate is None:
        if wanted.client_ca is not None or wanted.key is not None:
            message = "is needed with webhook.key and webhook.client_ca, which are for TLS"
            raise Misconfigured([Problem("webhook.certificate", message)])
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(wanted.certificate, wanted.key)
    except (OSError, ssl.SSLError) as error:
        message = f"{wanted.certificate} cannot be used: {error}"
        raise Misconfigured([Problem("webhook.certificate", message)]) from error
    if wanted.client_ca is not None:
        try:
            context.load_verify_locations(wanted.client_ca)
        except (OSError, ssl.SSLError) as error:
            message = f"{wanted.client_ca} cannot be used: {error}"
            raise Misconfigured([Problem("webhook.client_ca", message)]) from error
        # Optional, since other clouds of the same listener may use passwords.
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
