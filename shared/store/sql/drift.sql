-- Statements of shared/store/drift.py.

-- name: of_pass
-- What one full pass corrected so far, since $2 (null: ever), by what became of the objects and by
-- field.
select change, field, count(*) as count
from changes
where cause_kind = 'pass' and cause = $1 and ($2::timestamptz is null or at > $2)
group by change, field
order by change, field;

-- name: corrections
-- Some of what one full pass corrected, object by object after ($2, $3), with some fields ($4) of
-- the object, and whether an event about it was under way: one that came about when the pass read
-- the object, or later, and happened before.
select
    changes.number,
    changes.cloud,
    changes.kind,
    changes.resource_id,
    changes.at,
    changes.change,
    changes.field,
    left(changes.old::text, 200) as old,
    left(changes.new::text, 200) as new,
    (
        select jsonb_object_agg(name, resources.object -> name)
        from unnest($4::text[]) as name
    ) as fields,
    exists (
        select from events
        where events.cloud = changes.cloud
            and events.refs @> array[changes.kind || '/' || changes.resource_id]
            and events.time > changes.at - interval '1 hour'
            and events.time <= changes.at + $5::interval
            and events.recorded_at >= changes.at - $5::interval
    ) as under_way
from changes
left join resources
    on resources.kind = changes.kind
    and resources.cloud = changes.cloud
    and resources.id = changes.resource_id
where changes.cause_kind = 'pass'
    and changes.cause = $1
    and (changes.resource_id, changes.number) > ($2, $3::bigint)
order by changes.resource_id, changes.number
limit $6;
