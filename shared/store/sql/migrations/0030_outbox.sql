-- The outbox: what rules decided, stored with the event, and the actions that are to be run for it.

-- One row for each firing of a rule.
create table firings (
    id uuid primary key,
    rule text collate "C" not null,
    key text not null,
    cloud text collate "C" not null,
    event_id text collate "C" not null,
    -- The event that made it fire, as a CloudEvent, byte for byte: actions need no timeline row.
    event bytea not null,
    at timestamptz not null,
    stored_at timestamptz not null
);
-- What fired for one event.
create index firings_by_event on firings (cloud, event_id);
-- The latest firings of one rule, and those that retention forgets.
create index firings_by_rule on firings (rule, stored_at);
create index firings_by_age on firings (stored_at);

-- Numbers claims, each unlike any other ever, so that a late answer to a lost one finds nothing.
create sequence action_claims;

-- One row for each action of a firing.
create table actions (
    firing uuid not null references firings on delete cascade,
    position integer not null,
    kind text collate "C" not null,
    -- As in the rule file when it fired; secrets only by reference.
    settings jsonb not null,
    -- Whom it is for: one that is down must not delay what is for others.
    receiver text collate "C" not null,
    state text not null default 'waiting' check (state in ('waiting', 'done', 'dead')),
    -- When the time for its tries began: with the firing, or when somebody asked for it again.
    since timestamptz not null,
    -- When it may be claimed; while claimed, when the lease ends.
    due_at timestamptz not null,
    tries integer not null default 0,
    -- What the latest try said.
    result text,
    ended_at timestamptz,
    -- Number of the claim in force, and who has it; null while waiting.
    claim bigint,
    claimed_by text,
    primary key (firing, position)
);
-- The receivers with waiting actions, and the next due one of each.
create index actions_by_receiver on actions (receiver, due_at) where state = 'waiting';
-- What a claim holds.
create unique index actions_by_claim on actions (claim) where claim is not null;
