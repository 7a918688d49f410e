-- The timeline: every event once, in weekly partitions that retention drops whole.
--
-- Texts that are keys compare by bytes (collate "C"): cheaper, and LIKE 'prefix%' can use the index.

-- Makes events unique whatever their time, which a key of the partitioned table could not.
create table event_ids (
    cloud text collate "C" not null,
    id text collate "C" not null,
    time timestamptz not null,
    primary key (cloud, id)
);

create table events (
    cloud text collate "C" not null,
    id text collate "C" not null,
    time timestamptz not null,
    type text collate "C" not null,
    service text collate "C" not null,
    publisher text not null,
    priority text not null,
    flavour text not null,
    category text not null,
    level text not null,
    action text not null,
    phase text not null,
    known boolean not null,
    synthetic boolean not null,
    subject_kind text,
    subject_id text,
    -- All subjects and related objects, as kind/id, the subject first.
    refs text[] collate "C" not null,
    name text,
    project text collate "C",
    user_id text collate "C",
    request_id text collate "C",
    host text collate "C",
    zone text,
    old_state text,
    state text,
    payload jsonb not null,
    recorded_at timestamptz not null
) partition by range (time);

-- lz4 takes a fraction of the time of the built-in compression; some builds lack it.
do $$
begin
    if exists (
        select from pg_settings
        where name = 'default_toast_compression' and 'lz4' = any (enumvals)
    ) then
        alter table events alter column payload set compression lz4;
    end if;
end
$$;

-- The newest events of all clouds, and the order of every page.
create index events_by_time on events (time, id);
-- The newest events of one cloud, and single events by their id (through event_ids).
create index events_by_cloud on events (cloud, time, id);
-- Everything about one object, as subject or related.
create index events_by_ref on events using gin (refs);
-- All events of one type or family, however rare.
create index events_by_type on events (type, time, id);
-- What a project did, newest first.
create index events_by_project on events (project, time, id) where project is not null;
-- What a user did, newest first.
create index events_by_user on events (user_id, time, id) where user_id is not null;
-- What happened on a host, newest first.
create index events_by_host on events (host, time, id) where host is not null;
-- The events of one API request, across services.
create index events_by_request on events (request_id) where request_id is not null;

-- What no weekly partition takes: absurd times, which must not make thousands of partitions.
create table events_outlying partition of events default;

-- Makes the partition for the week (Monday to Monday, UTC) of a moment; safe in concurrent calls.
-- Attaching, unlike creating in place, does not wait for running inserts.
create function create_events_partition(moment timestamptz) returns void
language plpgsql as $$
declare
    monday timestamp := date_trunc('week', moment at time zone 'UTC');
    since timestamptz := monday at time zone 'UTC';
    until timestamptz := (monday + interval '7 days') at time zone 'UTC';
    partition text := 'events_' || to_char(monday, 'IYYY"w"IW');
begin
    perform pg_advisory_xact_lock(x'6576656e7477656b'::bigint);
    if to_regclass(partition) is not null then
        return;
    end if;
    execute format('create table %I (like events including storage including compression)', partition);
    -- Rows of this week that came before it was believable.
    lock table events_outlying in access exclusive mode;
    execute format(
        'with moved as (delete from events_outlying where time >= %L and time < %L returning *)'
        ' insert into %I select * from moved', since, until, partition);
    execute format(
        'alter table events attach partition %I for values from (%L) to (%L)', partition, since, until);
end
$$;

-- Drops one weekly partition, named as create_events_partition named it.
create function drop_events_partition(partition text) returns void
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(x'6576656e7477656b'::bigint);
    execute format('drop table if exists %I', partition);
end
$$;
