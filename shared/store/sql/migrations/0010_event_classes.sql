-- What few values tell apart (cloud, type, category, level, ...) moves into one small number, so that
-- one narrow index answers for all of it; see docs/decisions/0010-classes-of-events.md.

-- Every combination that ever came, some thousands of rows. Empty texts stand for what is absent.
create table event_classes (
    id integer generated always as identity primary key,
    cloud text collate "C" not null,
    type text collate "C" not null,
    canonical text collate "C" not null,
    service text collate "C" not null,
    category text collate "C" not null,
    level text collate "C" not null,
    -- Kind of the subject.
    kind text collate "C" not null,
    -- Its state, the first 100 characters.
    state text collate "C" not null,
    synthetic boolean not null,
    unique (cloud, type, canonical, service, category, level, kind, state, synthetic)
);

alter table events
    add column class integer,
    -- How many of `refs` are subjects.
    add column subjects smallint,
    -- What a failure's payload says in words.
    add column message text,
    -- The words of name and message, for the search in free text.
    add column words tsvector,
    -- The transaction that wrote the row: who follows the timeline sees what was not visible before,
    -- whatever order writers commit in. Null for rows from before this column.
    add column written xid8;
alter table events alter column written set default pg_current_xact_id();

insert into event_classes (cloud, type, canonical, service, category, level, kind, state, synthetic)
select distinct
    cloud, type, coalesce(canonical, type), service, category, level, coalesce(subject_kind, ''),
    left(coalesce(state, ''), 100), synthetic
from events;

update events
set class = event_classes.id,
    subjects = case when events.subject_kind is null then 0 else 1 end,
    words = array_to_tsvector(
        array_remove(regexp_split_to_array(lower(events.name), '[^[:alnum:]]+'), ''))
from event_classes
where event_classes.cloud = events.cloud
    and event_classes.type = events.type
    and event_classes.canonical = coalesce(events.canonical, events.type)
    and event_classes.service = events.service
    and event_classes.category = events.category
    and event_classes.level = events.level
    and event_classes.kind = coalesce(events.subject_kind, '')
    and event_classes.state = left(coalesce(events.state, ''), 100)
    and event_classes.synthetic = events.synthetic;

alter table events
    alter column class set not null,
    alter column subjects set not null;

-- The class answers for cloud and type; times are nearly unique, so ids made the others twice as wide
-- for nothing (ties are sorted out of the rows).
drop index events_by_time, events_by_cloud, events_by_type, events_by_canonical, events_by_project,
    events_by_user, events_by_host;

-- The order of every page; with the class beside it, charts count without looking at rows.
create index events_by_time on events (time, class);
-- The newest of each cloud, type, category, level, service, kind or state, however rare.
create index events_by_class on events (class, time);
-- What a project did, newest first.
create index events_by_project on events (project, time) where project is not null;
-- What a user did, newest first.
create index events_by_user on events (user_id, time) where user_id is not null;
-- What happened on a host, newest first.
create index events_by_host on events (host, time) where host is not null;
-- The words of names and messages.
create index events_by_word on events using gin (words);
-- What was written lately, in any week; rows of one batch share an entry.
create index events_by_writing on events (written);

-- As before, and vacuumed often: counting from the index alone needs pages marked as visible, and a
-- vacuum after inserts looks at nothing but the new pages.
create or replace function create_events_partition(moment timestamptz) returns void
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
    execute format(
        'create table %I (like events including storage including compression)'
        ' with (toast_tuple_target = 4096, autovacuum_vacuum_insert_scale_factor = 0,'
        ' autovacuum_vacuum_insert_threshold = 50000)', partition);
    -- Rows of this week that came before it was believable.
    lock table events_outlying in access exclusive mode;
    execute format(
        'with moved as (delete from events_outlying where time >= %L and time < %L returning *)'
        ' insert into %I select * from moved', since, until, partition);
    execute format(
        'alter table events attach partition %I for values from (%L) to (%L)', partition, since, until);
end
$$;

do $$
declare
    partition regclass;
begin
    for partition in select inhrelid::regclass from pg_inherits where inhparent = 'events'::regclass
    loop
        execute format(
            'alter table %s set (autovacuum_vacuum_insert_scale_factor = 0,'
            ' autovacuum_vacuum_insert_threshold = 50000)', partition);
    end loop;
end
$$;
