-- Which objects name which, and when an object was first heard of.

-- One row per object and object that it names; derived from `object` by shared/links.py in the same
-- transaction. A tombstone has none; the ends need not be in the inventory.
create table links (
    cloud text collate "C" not null,
    kind text collate "C" not null,
    id text collate "C" not null,
    -- What the other is to this one: network, device, parent.
    name text collate "C" not null,
    to_kind text collate "C" not null,
    -- Whether `to_key` is an id or, where an API tells no id, a name.
    by text collate "C" not null check (by in ('id', 'name')),
    to_key text collate "C" not null,
    primary key (cloud, kind, id, name, to_kind, by, to_key)
);
-- What names an object.
create index links_by_target on links (cloud, to_kind, by, to_key);

alter table resources add column first_seen timestamptz;
update resources
set first_seen = coalesce(
    (
        select min(at) from changes
        where changes.cloud = resources.cloud
            and changes.kind = resources.kind
            and changes.resource_id = resources.id
            and changes.change = 'created'
    ),
    seen_at
);
