-- Statements of shared/store/timeline_reading.py. All of them number the filter's parameters alike:
-- $1 not before, $2 before, $3 classes, $4 refs, $5 what of $4 counts as subject only when null,
-- $6 project, $7 user, $8 request, $9 host, $10 words, $11 classes whose type holds the words,
-- $12 once, $13 and $14 begin and end of the windows that count. Null means any.

-- piece: wanted
-- The condition that they share. `once` leaves out the event that goes
-- by another name than the canonical one, or is versioned, when its twin is there.
    ($1::timestamptz is null or time >= $1)
    and ($2::timestamptz is null or time < $2)
    and ($3::integer[] is null or class = any ($3))
    and ($4::text[] is null or refs && $4)
    and ($5::text is null or refs @> array[$5] or (subjects > 0 and refs[1] = any ($4)))
    and ($6::text is null or project = $6)
    and ($7::text is null or user_id = $7)
    and ($8::text is null or request_id = $8)
    and ($9::text is null or host = $9)
    and ($10::text is null or words @@ $10::tsquery or class = any ($11::integer[]))
    and (
        $12::boolean is not true
        or (events.canonical is null and flavour <> 'versioned')
        or not exists (
            select
            from event_classes as name
            join events as twin on twin.class = name.id
            where name.cloud = events.cloud
                and name.type = coalesce(events.canonical, events.type)
                and twin.flavour <> 'versioned'
                and twin.time >= events.time - interval '2 seconds'
                and twin.time <= events.time + interval '2 seconds'
                and twin.subject_kind is not distinct from events.subject_kind
                and twin.subject_id is not distinct from events.subject_id
        )
    )
    and (
        $13::timestamptz[] is null
        or exists (
            select from unnest($13::timestamptz[], $14::timestamptz[]) as counting (since, until)
            where time >= since and time <= until
        )
    )

-- name: classes
-- The classes that a filter wants; $5 holds LIKE patterns of types, $10 words of which a type holds
-- every one. One row, null when the filter does not ask for any such thing.
select
    array_agg(id) filter (
        where ($1::text is null or cloud = $1)
            and ($2::text[] is null or category = any ($2))
            and ($3::text[] is null or level = any ($3))
            and ($4::text is null or service = $4)
            and ($5::text[] is null or type like any ($5) or canonical like any ($5))
            and ($6::text is null or kind = $6)
            and ($7::text is null or lower(state) = lower(left($7, 100)))
            and ($8::boolean is null or synthetic = $8)
    ) as wanted,
    array_agg(id) filter (
        where type ilike all ($9::text[]) or canonical ilike all ($9)
    ) as texts
from event_classes;

-- name: weeks
-- When the weekly partitions begin, oldest first.
select to_timestamp(substr(child.relname, 8), 'IYYY"w"IW') as begins
from pg_inherits
join pg_class as child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = 'events'::regclass and child.relname ~ '^events_\d{4}w\d{2}$'
order by 1;

-- name: newest
-- A page, newest first, after the position ($15, $16, $17).
select *
from events
where
    -- include: wanted
    and (
        $15::timestamptz is null
        or (time <= $15 and (time, id, cloud) < ($15, $16::text, $17::text))
    )
order by time desc, id desc, cloud desc
limit $18;

-- name: oldest
-- A page, oldest first, after the position ($15, $16, $17).
select *
from events
where
    -- include: wanted
    and (
        $15::timestamptz is null
        or (time >= $15 and (time, id, cloud) > ($15, $16::text, $17::text))
    )
order by time, id, cloud
limit $18;

-- name: newest_by_class
-- As `newest`, for a filter of classes ($19) alone, class by class: what is rare is not looked for
-- among everything else, whatever the statistics make of it.
select page.*
from unnest($19::integer[]) as asked (class)
cross join lateral (
    select *
    from events
    where events.class = asked.class
        and
        -- include: wanted
        and (
            $15::timestamptz is null
            or (time <= $15 and (time, id, cloud) < ($15, $16::text, $17::text))
        )
    order by time desc, id desc, cloud desc
    limit $18
) as page
order by page.time desc, page.id desc, page.cloud desc
limit $18;

-- name: oldest_by_class
-- As `oldest`, likewise.
select page.*
from unnest($19::integer[]) as asked (class)
cross join lateral (
    select *
    from events
    where events.class = asked.class
        and
        -- include: wanted
        and (
            $15::timestamptz is null
            or (time >= $15 and (time, id, cloud) > ($15, $16::text, $17::text))
        )
    order by time, id, cloud
    limit $18
) as page
order by page.time, page.id, page.cloud
limit $18;

-- name: newest_of_classes
-- Where a page of $4 events of the classes $1 ends that begins with the newest before $3, not before
-- $2, and how many there are up to that many. From the index alone, so that it takes next to nothing.
select count(*) as events, min(time) as edge
from (
    select page.time
    from unnest($1::integer[]) as wanted (class)
    cross join lateral (
        select time
        from events
        where events.class = wanted.class
            and ($2::timestamptz is null or time >= $2)
            and ($3::timestamptz is null or time < $3)
        order by time desc
        limit $4
    ) as page
    order by page.time desc
    limit $4
) as pages;

-- name: oldest_of_classes
-- The same from the other side: beginning with the oldest not before $2, which is before $3.
select count(*) as events, max(time) as edge
from (
    select page.time
    from unnest($1::integer[]) as wanted (class)
    cross join lateral (
        select time
        from events
        where events.class = wanted.class
            and ($2::timestamptz is null or time >= $2)
            and ($3::timestamptz is null or time < $3)
        order by time
        limit $4
    ) as page
    order by page.time
    limit $4
) as pages;

-- name: buckets
-- How many events each bucket of the length $15 has, by the part of a class that $16 names.
select
    bucket,
    case $16::text
        when 'category' then category
        when 'level' then level
        when 'type' then canonical
        when 'service' then service
        else cloud
    end as label,
    sum(count)::bigint as count
from (
    select
        date_bin($15::interval, time, timestamptz '2001-01-01 00:00:00Z') as bucket,
        class,
        count(*) as count
    from events
    where
        -- include: wanted
    group by bucket, class
) as counted
join event_classes on event_classes.id = counted.class
group by bucket, label
order by bucket, label;

-- name: here
-- What is visible now; `news` tells what became visible after.
select pg_current_snapshot()::text;

-- name: news
-- What was not visible in the snapshot $15 and is in $16, transaction by transaction, after the row
-- ($17, $18, $19, $20).
select *
from events
where
    -- include: wanted
    and written >= pg_snapshot_xmin($15::text::pg_snapshot)
    and not pg_visible_in_snapshot(written, $15::text::pg_snapshot)
    and pg_visible_in_snapshot(written, $16::text::pg_snapshot)
    and (
        $17::xid8 is null
        or (written, time, id, cloud) > ($17, $18::timestamptz, $19::text, $20::text)
    )
order by written, time, id, cloud
limit $21;
