-- Statements of shared/store/timeline.py.

-- name: add_ids
-- Claim the ids that are new, in the order given (sorted, so that two writers never deadlock).
insert into event_ids (cloud, id, time)
select * from unnest($1::text[], $2::text[], $3::timestamptz[])
on conflict do nothing
returning cloud, id;

-- name: add_events
-- Write the rows of new events; the refs of a row come joined by the unit separator.
insert into events (
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, refs, name, project, user_id, request_id, host,
    zone, old_state, state, canonical, payload, recorded_at
)
select
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, string_to_array(refs, E'\x1f'), name, project,
    user_id, request_id, host, zone, old_state, state, nullif(canonical, type), payload::jsonb, $1
from unnest(
    $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::boolean[],
    $15::boolean[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[],
    $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[]
) as new (
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, refs, name, project, user_id, request_id, host,
    zone, old_state, state, canonical, payload
);

-- name: find
-- One page of the timeline, newest first, after the position ($1, $2, $3); null means any.
-- With $16, an event that came under two names or in two formats shows once: the one is left out
-- that goes by another name than the canonical one, or is versioned, when its twin is there.
select *
from events
where ($1::timestamptz is null or (time, id, cloud) < ($1, $2::text, $3::text))
    and ($4::text is null or cloud = $4)
    and ($5::timestamptz is null or time >= $5)
    and ($6::timestamptz is null or time < $6)
    and ($7::text is null or type like $7 or canonical like $7)
    and ($8::text is null or category = $8)
    and ($9::text is null or level = $9)
    and ($10::text is null or refs @> array[$10])
    and ($11::text is null or project = $11)
    and ($12::text is null or user_id = $12)
    and ($13::text is null or request_id = $13)
    and ($14::text is null or host = $14)
    and ($15::text is null or service = $15)
    and (
        $16::boolean is not true
        or (canonical is null and flavour <> 'versioned')
        or not exists (
            select from events as twin
            where twin.cloud = events.cloud
                and twin.type = coalesce(events.canonical, events.type)
                and twin.flavour <> 'versioned'
                and twin.time >= events.time - interval '2 seconds'
                and twin.time <= events.time + interval '2 seconds'
                and twin.subject_kind is not distinct from events.subject_kind
                and twin.subject_id is not distinct from events.subject_id
        )
    )
order by time desc, id desc, cloud desc
limit $17;

-- name: get
-- One event by its id; event_ids tells the partition.
select events.*
from event_ids
join events using (cloud, id, time)
where event_ids.cloud = $1 and event_ids.id = $2;
