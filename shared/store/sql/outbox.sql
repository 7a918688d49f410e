-- Statements of shared/store/outbox.py.

-- name: put_firings
-- Store firings that are not there yet, in the order given (sorted, so that two writers never
-- deadlock), and say which were new.
insert into firings (id, rule, key, cloud, event_id, event, at, stored_at)
select id, rule, key, cloud, event_id, event, at, $8
from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::timestamptz[]
) as new (id, rule, key, cloud, event_id, event, at)
on conflict do nothing
returning id;

-- name: put_actions
-- Store the actions of new firings, due at once.
insert into actions (firing, position, kind, settings, receiver, since, due_at)
select firing, position, kind, settings::jsonb, receiver, $6, $6
from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[])
    as new (firing, position, kind, settings, receiver);
