-- Statements of shared/store/timeline.py and shared/store/timeline_classes.py.

-- name: add_classes
-- Give numbers to combinations that have none yet, in the order given (so that no two deadlock).
insert into event_classes (cloud, type, canonical, service, category, level, kind, state, synthetic)
select *
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::boolean[]
)
on conflict do nothing;

-- name: classes
-- The numbers of combinations.
select id, cloud, type, canonical, service, category, level, kind, state, synthetic
from event_classes
join unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::boolean[]
) as asked (cloud, type, canonical, service, category, level, kind, state, synthetic)
using (cloud, type, canonical, service, category, level, kind, state, synthetic);

-- name: class_values
-- The values that events have had so far, of those fields that a word is easily mistyped in.
select distinct field, value
from event_classes
cross join lateral (
    values ('cloud', cloud), ('service', service), ('category', category), ('kind', kind)
) as had (field, value)
where value <> '';

-- name: add_ids
-- Claim the ids that are new, in the order given (sorted, so that two writers never deadlock).
insert into event_ids (cloud, id, time)
select * from unnest($1::text[], $2::text[], $3::timestamptz[])
on conflict do nothing
returning cloud, id;

-- name: add_events
-- Write the rows of new events; the refs and the words of a row come joined by the unit separator.
insert into events (
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, refs, name, project, user_id, request_id, host,
    zone, old_state, state, canonical, payload, class, subjects, message, words, occasion,
    recorded_at
)
select
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, string_to_array(refs, E'\x1f'), name, project,
    user_id, request_id, host, zone, old_state, state, nullif(canonical, type), payload::jsonb,
    class, subjects, message, array_to_tsvector(string_to_array(words, E'\x1f')), occasion,
    $1
from unnest(
    $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::boolean[],
    $15::boolean[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[],
    $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[],
    $29::integer[], $30::smallint[], $31::text[], $32::text[], $33::text[]
) as new (
    cloud, id, time, type, service, publisher, priority, flavour, category, level, action, phase,
    known, synthetic, subject_kind, subject_id, refs, name, project, user_id, request_id, host,
    zone, old_state, state, canonical, payload, class, subjects, message, words, occasion
);

-- name: get
-- One event by its id; event_ids tells the partition.
select events.*
from event_ids
join events using (cloud, id, time)
where event_ids.cloud = $1 and event_ids.id = $2;
