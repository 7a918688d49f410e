"""Keystone's users, groups, domains and roles: unpaged, as before 2025.1."""

from collections.abc import Callable, Sequence

from services.simulator.api.answer import Refused
from services.simulator.api.plain import Asked, Pages, Plain, Row
from services.simulator.notification import Json
from services.simulator.objects import User


def _refused(status: int, title: str, message: str) -> Refused:
    return Refused(status, {"error": {"code": status, "message": message, "title": title}})


def _bad_request(message: str) -> Refused:
    return _refused(400, "Bad Request", message)


def _forbidden(rule: str) -> Refused:
    message = f"You are not authorized to perform the requested action: {rule}."
    return _refused(403, "Forbidden", message)


def _not_found(what: str) -> Callable[[str], Refused]:
    return lambda id_: _refused(404, "Not Found", f"Could not find {what}: {id_}.")


def user_body(user: User, origin: str) -> Json:
    """Return a user."""
    return {
        "id": user.id,
        "name": user.name,
        "domain_id": "default",
        "default_project_id": user.project_id,
        "enabled": True,
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{origin}/identity/v3/users/{user.id}"},
    }


def _users(asked: Asked) -> Sequence[Row]:
    origin = str(asked.request.url.origin())
    return [Row(user.id, None, user_body(user, origin)) for user in asked.world.users]


def _items(kind: str) -> Callable[[Asked], Sequence[Row]]:
    def rows(asked: Asked) -> Sequence[Row]:
        origin = str(asked.request.url.origin())
        return [
            Row(item.id, None, identity_body(kind, item.body, origin))
            for item in asked.world.table(kind)
        ]

    return rows


def identity_body(kind: str, body: Json, origin: str) -> Json:
    """Return a group, domain or role."""
    return {**body, "links": {"self": f"{origin}/identity/v3/{kind}s/{body['id']}"}}


def _collection(kind: str, rows: Callable[[Asked], Sequence[Row]], *filters: str) -> Plain:
    return Plain(
        path=f"/identity/v3/{kind}s",
        name=f"{kind}s",
        item=kind,
        rows=rows,
        pages=Pages.KEYSTONE,
        admin_rule=f"identity:list_{kind}s",
        filters={name: name for name in filters},
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found(kind),
    )


COLLECTIONS = (
    _collection("user", _users, "name", "domain_id", "enabled"),
    _collection("group", _items("group"), "name", "domain_id"),
    _collection("domain", _items("domain"), "name", "enabled"),
    _collection("role", _items("role"), "name", "domain_id"),
)
