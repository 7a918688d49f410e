-- Statements of shared/store/outbox.py.

-- name: put
-- Store firings that are not there yet, in the order given (sorted, so that two writers never
-- deadlock), with their actions, due at once; and say which were new.
with stored as (
    insert into firings (id, rule, key, cloud, event_id, event, at, stored_at)
    select id, rule, key, cloud, event_id, event, at, $1
    from unnest(
        $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[]
    ) as new (id, rule, key, cloud, event_id, event, at)
    on conflict do nothing
    returning id
), asked as (
    insert into actions (firing, position, kind, settings, receiver, since, due_at)
    select firing, position, kind, settings::jsonb, receiver, $1, $1
    from unnest($9::uuid[], $10::integer[], $11::text[], $12::text[], $13::text[])
        as new (firing, position, kind, settings, receiver)
    where firing in (select id from stored)
)
select id from stored;

-- name: due_receivers
-- The receivers for whom something is due, each found with one step through the index, however much
-- waits for the others.
with recursive receivers as (
    (select receiver from actions where state = 'waiting' order by receiver limit 1)
    union all
    select (
        select actions.receiver
        from actions
        where actions.state = 'waiting' and actions.receiver > receivers.receiver
        order by actions.receiver
        limit 1
    )
    from receivers
    where receivers.receiver is not null
)
select receiver
from receivers
where exists (
    select from actions
    where actions.state = 'waiting'
        and actions.receiver = receivers.receiver
        and actions.due_at <= $1
);

-- name: claim
-- Take due actions, of each receiver as many as it may have, those due longest first; an expired
-- lease is due like any other. Rows are found again by ctid, which cannot move while they are
-- locked.
with due as (
    select one.ctid
    from unnest($1::text[], $2::integer[]) as share (receiver, most)
    cross join lateral (
        select actions.ctid
        from actions
        where actions.state = 'waiting'
            and actions.receiver = share.receiver
            and actions.due_at <= $3
        order by actions.due_at
        limit share.most
        for update skip locked
    ) as one
)
update actions
set claim = nextval('action_claims'), claimed_by = $4, due_at = $5
from firings
where actions.ctid = any (array(select ctid from due)) and firings.id = actions.firing
returning
    actions.firing, actions.position, actions.kind, actions.settings, actions.receiver,
    actions.since, actions.tries, actions.claim, firings.rule, firings.key, firings.event,
    firings.at, firings.stored_at;

-- name: renew
-- Move the end of the leases that are still ours, and say which those are.
update actions set due_at = $2 where claim = any ($1::bigint[]) returning claim;

-- name: done
-- An action had its effect.
update actions
set state = 'done', tries = tries + 1, result = $2, ended_at = $3, claim = null
where claim = $1;

-- name: retry
-- An action failed and is to be tried again.
update actions
set due_at = $3, tries = tries + 1, result = $2, claim = null, claimed_by = null
where claim = $1;

-- name: dead
-- An action is given up.
update actions
set state = 'dead', tries = tries + 1, result = $2, ended_at = $3, claim = null
where claim = $1;

-- name: revive
-- Let a dead action run again from now on, or store it when it was forgotten.
insert into actions (firing, position, kind, settings, receiver, since, due_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (firing, position) do update
set state = 'waiting', since = excluded.since, due_at = excluded.due_at, tries = 0, ended_at = null
where actions.state = 'dead';

-- name: waiting
-- What waits for each receiver, how much of it failed before, and since when.
select
    receiver,
    count(*) as count,
    count(*) filter (where tries > 0) as failing,
    min(since) as oldest
from actions
where state = 'waiting'
group by receiver
order by receiver;

-- name: of_event
-- The actions that one event caused, and what became of each.
select
    firings.rule, firings.at, actions.kind, actions.receiver, actions.state, actions.tries,
    actions.result, actions.due_at, actions.ended_at
from firings
join actions on actions.firing = firings.id
where firings.cloud = $1 and firings.event_id = $2
order by firings.stored_at, firings.id, actions.position;

-- name: purge
-- Forget firings from before a moment that have nothing left to run.
delete from firings
where stored_at < $1
    and not exists (
        select from actions where actions.firing = firings.id and actions.state = 'waiting'
    );
