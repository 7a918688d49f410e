-- The inventory, its history, and the work that keeps it fresh.

-- One row per object ever heard of; deleted ones stay as tombstones.
-- The key begins with the kind, so that one kind pages by cloud and id, in one cloud or in all.
create table resources (
    kind text collate "C" not null,
    cloud text collate "C" not null,
    id text collate "C" not null,
    name text,
    project text,
    status text,
    -- As the API gave it; null when a deletion is all that was ever heard.
    object jsonb,
    revision bigint,
    -- When the read that gave `object` began; null like it.
    observed_at timestamptz,
    -- When the latest read that found the object began.
    seen_at timestamptz,
    -- When it was deleted; null while it lives. Never before seen_at.
    deleted_at timestamptz,
    primary key (kind, cloud, id)
)
-- Room for seen_at, which every full pass moves, to change in place.
with (fillfactor = 85);
-- The ports of a server, router or floating IP: those that a list of them no longer shows.
create index resources_by_device on resources (cloud, (object ->> 'device_id'))
where kind = 'port' and deleted_at is null;

-- One row per difference of a resource, with what caused it.
create table changes (
    number bigint generated always as identity,
    cloud text collate "C" not null,
    kind text collate "C" not null,
    resource_id text collate "C" not null,
    at timestamptz not null,
    change text not null,
    field text,
    old jsonb,
    new jsonb,
    cause_kind text not null,
    cause text not null
);
-- The history of one object, and drift by kind.
create index changes_by_resource on changes (cloud, kind, resource_id, at);

-- Numbers claims, each unlike any other ever, so that a late answer to a lost one finds nothing.
create sequence target_claims;

-- What must be read again; one row per key however often it is asked for.
create table targets (
    cloud text collate "C" not null,
    kind text collate "C" not null,
    by text collate "C" not null,
    key text collate "C" not null,
    cause text not null,
    why text not null,
    -- The first ask that is not answered yet.
    asked_at timestamptz not null,
    -- When it may be claimed: the end of the merge window, of a wait, or, while claimed, of the lease.
    due_at timestamptz not null,
    attempts integer not null default 0,
    error text,
    -- Number of the claim in force, and who has it; null while waiting.
    claim bigint,
    claimed_by text,
    -- First ask since the claim, and when it falls due; null without one.
    asked_again_at timestamptz,
    due_again_at timestamptz,
    primary key (cloud, kind, by, key)
);
-- The next due target of a cloud.
create index targets_by_due on targets (cloud, due_at);
-- The due targets that can share an API call with it.
create index targets_by_group on targets (cloud, kind, by, due_at);
-- What a claim holds.
create unique index targets_by_claim on targets (claim) where claim is not null;

-- Full passes: asked for, running, done.
create table passes (
    id uuid primary key,
    cloud text collate "C" not null,
    kind text collate "C" not null,
    asked_by text not null,
    state text not null check (state in ('waiting', 'running', 'done', 'failed')),
    asked_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    claimed_by text,
    claimed_until timestamptz,
    pages integer not null default 0,
    seen integer not null default 0,
    created integer not null default 0,
    changed integer not null default 0,
    vanished integer not null default 0,
    error text
);
-- One pass of a kind waits and one runs: asking again while one waits changes nothing.
create unique index passes_waiting on passes (cloud, kind) where state = 'waiting';
create unique index passes_running on passes (cloud, kind) where state = 'running';
-- The latest pass of each kind.
create index passes_by_kind on passes (cloud, kind, asked_at);
