-- Statements of shared/store/targets.py.

-- name: ask
-- Ask for targets, in the order of their keys (so that two writers never deadlock). A waiting target
-- keeps its time, or takes an earlier one, but for its hold (which $11 ends, and which is never
-- moved, so that none waits for ever); one that waits after a failure keeps its
-- wait; one that is claimed notes the ask.
insert into targets (
    cloud, kind, by, key, cause, why, asked_at, last_asked_at, ready_at, due_at, held_until
)
select new.cloud, new.kind, new.by, new.key, new.cause, new.why, $7, $7, $8, $9, $10
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    as new (cloud, kind, by, key, cause, why)
on conflict (cloud, kind, by, key) do update
set cause = excluded.cause,
    why = excluded.why,
    last_asked_at = greatest(targets.last_asked_at, excluded.last_asked_at),
    held_until = case
        when targets.claim is null and not $11
            then coalesce(targets.held_until, excluded.held_until)
    end,
    ready_at = case
        when targets.claim is not null or targets.attempts > 0 then targets.ready_at
        when $11 then least(targets.ready_at, excluded.ready_at)
        else greatest(
            least(targets.ready_at, excluded.ready_at),
            coalesce(targets.held_until, excluded.held_until)
        )
    end,
    due_at = case
        when targets.claim is not null or targets.attempts > 0 then targets.due_at
        when $11 then least(targets.due_at, excluded.due_at)
        else greatest(
            least(targets.due_at, excluded.due_at),
            coalesce(targets.held_until, excluded.held_until)
        )
    end,
    asked_again_at = case
        when targets.claim is not null then coalesce(targets.asked_again_at, excluded.asked_at)
    end,
    due_again_at = case
        when targets.claim is not null then coalesce(targets.due_again_at, excluded.due_at)
    end;

-- name: claim
-- Take targets of one kind and filter, that of the due target waiting longest (of the kinds $6,
-- unless it is null), with what is ready to be read along with it; an expired lease is due like any
-- other. Rows are found again by ctid, which cannot move while they are locked, so that the plan
-- does not hang on statistics, which lag behind in a table that fills and empties.
with first as (
    select kind, by
    from targets
    where cloud = $1 and due_at <= $2 and ($6::text[] is null or kind = any ($6))
    order by due_at
    limit 1
    for update skip locked
),
due as (
    select ctid
    from targets
    where cloud = $1
        and kind = (select kind from first)
        and by = (select by from first)
        and ready_at <= $2
    order by ready_at
    limit $3
    for update skip locked
)
update targets
set claim = nextval('target_claims'),
    claimed_by = $4,
    ready_at = $5,
    due_at = $5,
    asked_again_at = null,
    due_again_at = null
where ctid = any (array(select ctid from due))
returning cloud, kind, by, key, cause, why, asked_at, attempts, claim;

-- name: claim_found
-- Take targets by id that nobody is at, of objects that a read found which began after their latest
-- ask: whatever the read was made for, it answers them.
update targets
set claim = nextval('target_claims'),
    claimed_by = $5,
    ready_at = $6,
    due_at = $6,
    asked_again_at = null,
    due_again_at = null
where ctid = any (array(
    select targets.ctid
    from targets
    join unnest($2::text[], $3::text[], $4::timestamptz[]) as found (kind, key, began)
        using (kind, key)
    where targets.cloud = $1
        and targets.by = 'id'
        and targets.claim is null
        and targets.last_asked_at <= found.began
    for update of targets skip locked
))
returning cloud, kind, by, key, cause, why, asked_at, attempts, claim;

-- name: lock
-- Lock the targets that are still held under these claims, in the order of their keys (so that this
-- and `ask` never deadlock).
select claim
from targets
where claim = any ($1::bigint[])
order by cloud, kind, by, key
for update;

-- name: renew
-- Move the end of the lease of locked targets.
update targets set ready_at = $2, due_at = $2 where claim = any ($1::bigint[]);

-- name: remove
-- Remove locked targets that nobody asked for again.
delete from targets where claim = any ($1::bigint[]) and due_again_at is null;

-- name: reopen
-- Give back locked targets that were asked for again: due when the new window ends.
update targets
set asked_at = asked_again_at,
    ready_at = due_again_at,
    due_at = due_again_at,
    held_until = null,
    attempts = 0,
    error = null,
    claim = null,
    claimed_by = null,
    asked_again_at = null,
    due_again_at = null
where claim = any ($1::bigint[]) and due_again_at is not null;

-- name: retry
-- Give back locked targets, to be tried again later; asks since the claim wait with them. $4 is 0
-- where nobody was asked, so that it is no try.
update targets
set ready_at = $2,
    due_at = $2,
    held_until = null,
    attempts = attempts + $4,
    error = $3,
    claim = null,
    claimed_by = null,
    asked_again_at = null,
    due_again_at = null
where claim = any ($1::bigint[]);

-- name: drop
-- Forget what was asked about objects that are gone; what somebody is at is left to its answer.
with gone as (
    select targets.cloud, targets.kind, targets.by, targets.key
    from targets
    join unnest($1::text[], $2::text[], $3::text[], $4::text[]) as ref (cloud, kind, by, key)
        using (cloud, kind, by, key)
    where targets.claim is null
    order by targets.cloud, targets.kind, targets.by, targets.key
    for update of targets skip locked
)
delete from targets
using gone
where targets.cloud = gone.cloud
    and targets.kind = gone.kind
    and targets.by = gone.by
    and targets.key = gone.key;

-- name: waiting
-- How many targets of each kind are not answered, how many of them failed, and since when.
select
    cloud,
    kind,
    count(*) as count,
    count(*) filter (where claim is not null) as claimed,
    count(*) filter (where attempts > 0) as failing,
    min(asked_at) as oldest
from targets
group by cloud, kind
order by cloud, kind;
