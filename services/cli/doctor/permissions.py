"""The least that a guest may do on OpenStack's broker, as commands for its operator. Pure."""

import re
import shlex

from services.catcher.sources.amqp_queue import Subscription


def own_pattern(queue: str) -> str:
    """Return the pattern of our queue and of the one that the doctor tries."""
    return rf"^{re.escape(queue)}(\..*)?$"


def read_pattern(subscription: Subscription) -> str:
    """Return the pattern of what must be read: our queue, and each exchange that is bound."""
    exchanges = "|".join(re.escape(name) for name in subscription.keys_of)
    return rf"^({re.escape(subscription.queue)}(\..*)?|{exchanges})$"


def set_permissions(subscription: Subscription, *, user: str, virtual_host: str) -> str:
    """Return the command that allows `user` just what is needed, on one line."""
    own = own_pattern(subscription.queue)
    return shlex.join(
        [
            "rabbitmqctl", "set_permissions", "-p", virtual_host, user,
            own, own, read_pattern(subscription),
        ]
    )  # fmt: skip


def add_user(user: str) -> str:
    """Return the command that makes the user; who runs it is asked for the password."""
    return shlex.join(["rabbitmqctl", "add_user", user])


def bound_queue(queue: str, *, virtual_host: str) -> str:
    """Return the command that bounds a queue of the services that nobody reads.

    A policy, since publishers would be refused (406) if the queue had other arguments.
    """
    pattern = f"^{re.escape(queue)}$"
    return shlex.join(
        [
            "rabbitmqctl", "set_policy", "-p", virtual_host, "--apply-to", "queues",
            f"bounded-{queue}", pattern, '{"max-length":10000}',
        ]
    )  # fmt: skip
