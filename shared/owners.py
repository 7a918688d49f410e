"""What goes with what: objects that cannot outlive the one that owns them. Pure.

OpenStack deletes them with their owner, mostly without a word, and refuses to delete the owner
otherwise. What only points at an object (a floating IP at a port) is not owned by it.
"""

from collections.abc import Iterator, Mapping

from shared.links import Object, links_of
from shared.resource import Kind, ResourceRef

_OWNERS: Mapping[str, frozenset[tuple[str, str]]] = {
    kind: frozenset((name, str(owner)) for name, owner in owners)
    for kind, owners in {
        # A network that is deleted takes its DHCP ports along, and nothing else may be left on it.
        Kind.PORT: (
            ("device", Kind.ROUTER),
            ("device", Kind.FLOATING_IP),
            ("network", Kind.NETWORK),
        ),
        Kind.SUBNET: (("network", Kind.NETWORK),),
        Kind.SECURITY_GROUP_RULE: (("security_group", Kind.SECURITY_GROUP),),
        Kind.ATTACHMENT: (("volume", Kind.VOLUME),),
        Kind.STACK_RESOURCE: (("stack", Kind.STACK),),
        Kind.LISTENER: (("load_balancer", Kind.LOAD_BALANCER),),
        Kind.POOL: (("load_balancer", Kind.LOAD_BALANCER),),
        Kind.MEMBER: (("pool", Kind.POOL),),
        Kind.HEALTH_MONITOR: (("pool", Kind.POOL),),
        Kind.L7_POLICY: (("listener", Kind.LISTENER),),
        Kind.BAREMETAL_PORT: (("node", Kind.NODE),),
    }.items()
}
"""By kind: the links (`shared.links`) that name an owner, by their name and the owner's kind."""


def owners_of(ref: ResourceRef, item: Object) -> frozenset[ResourceRef]:
    """Return the objects that `ref` goes with, as it tells them itself; mostly one."""
    owning = _OWNERS.get(ref.kind)
    if owning is None:
        return frozenset()
    return frozenset(
        ResourceRef(ref.cloud, link.kind, link.key)
        for link in links_of(ref.kind, item, named=_NAMES[ref.kind])
        if (link.name, link.kind) in owning
    )


def is_owned(kind: str) -> bool:
    """Tell whether objects of `kind` have owners."""
    return kind in _OWNERS


def kinds_above(kind: str) -> frozenset[str]:
    """Return the kinds that own `kind`, and what owns those."""
    above = {owner for _, owner in _OWNERS.get(kind, ())}
    return frozenset(above.union(*map(kinds_above, above)))


def kinds_below(kind: str) -> frozenset[str]:
    """Return the kinds that `kind` owns, and what those own."""
    return _BELOW.get(kind, frozenset())


def ownerships() -> Iterator[tuple[str, str, str]]:
    """Yield kind, name of the link and kind of the owner, each once."""
    for kind, owners in _OWNERS.items():
        for name, owner in sorted(owners):
            yield str(kind), name, owner


_NAMES: Mapping[str, frozenset[str]] = {
    kind: frozenset(name for name, _ in owners) for kind, owners in _OWNERS.items()
}
_BELOW: Mapping[str, frozenset[str]] = {
    above: frozenset(str(kind) for kind in _OWNERS if above in kinds_above(kind))
    for above in {owner for _, _, owner in ownerships()}
}
