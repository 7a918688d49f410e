-- Full passes that go on where a copy left them, cost little where nothing changed, and say what
-- they corrected.

-- Of name, project, status and object, as shared/store/digest.py makes it: a listed object with the
-- same digest is the same, and nothing but its times is written. Null until it is next written.
-- Whoever writes one of the four writes the digest, too.
alter table resources add column digest bytea;

alter table passes
    -- When its first page was asked for, whoever ended up making it: what was not seen since then
    -- is missing.
    add column began_at timestamptz,
    -- Whether no pass of the kind was done before: what it finds is news, not drift.
    add column first boolean not null default false,
    -- Which of the kind's lists is under way, and the ids after which it may go on, the last first.
    add column list integer not null default 0,
    add column markers text[] not null default '{}',
    drop constraint passes_state_check,
    -- absent: the cloud does not have the kind.
    add constraint passes_state_check
        check (state in ('waiting', 'running', 'done', 'failed', 'absent'));
update passes set first = true where asked_by = 'start';

-- What changed in a cloud around a moment; and, from the other end, what is old enough to forget.
create index changes_by_time on changes (cloud, at);
-- What one full pass corrected.
create index changes_by_pass on changes (cause) where cause_kind = 'pass';
