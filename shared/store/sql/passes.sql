-- Statements of shared/store/passes.py.

-- name: ask
-- Ask for a full pass and return its id, or that of the one that waits already; that begins at the
-- beginning then, since what the asking is about may be in what it had listed before it failed.
insert into passes (id, cloud, kind, asked_by, state, asked_at)
values ($1, $2, $3, $4, 'waiting', $5)
on conflict (cloud, kind) where state = 'waiting' do update
set began_at = null, list = 0, markers = '{}',
    pages = 0, seen = 0, created = 0, changed = 0, vanished = 0
returning id;

-- name: claim
-- Take a running pass whose lease is over, to be gone on with, or the waiting pass asked for first
-- of a kind that no pass runs for.
with next as (
    select id
    from passes
    where cloud = $1
        and (
            (state = 'running' and claimed_until <= $2)
            or (
                state = 'waiting'
                and not exists (
                    select from passes as other
                    where other.cloud = passes.cloud
                        and other.kind = passes.kind
                        and other.state = 'running'
                )
            )
        )
    order by state, asked_at, kind
    limit 1
    for update skip locked
)
update passes
set state = 'running', started_at = $2, began_at = coalesce(began_at, $2),
    claimed_by = $3, claimed_until = $4, error = null,
    first = asked_by = 'start' or not exists (
        select from passes as done
        where done.cloud = passes.cloud and done.kind = passes.kind and done.state = 'done'
    )
from next
where passes.id = next.id
returning passes.*;

-- name: progress
-- Note the figures so far and where to go on, and extend the lease, if the pass is still this
-- worker's.
update passes
set pages = $3, seen = $4, created = $5, changed = $6, vanished = $7, claimed_until = $8,
    began_at = $10, list = $11, markers = $12
where id = $1 and claimed_by = $2 and state = 'running' and started_at = $9;

-- name: extend
-- Move the end of the lease, if the pass is still this worker's.
update passes
set claimed_until = $3
where id = $1 and claimed_by = $2 and state = 'running' and started_at = $4;

-- name: release
-- Let others go on at once with what a worker has in hand.
update passes set claimed_until = $2 where claimed_by = $1 and state = 'running';

-- name: finish
-- End a pass, if it is still this worker's. One that failed keeps its place, for `go_on`.
update passes
set state = $3, finished_at = $4, error = $5, claimed_by = null, claimed_until = null,
    pages = $6, seen = $7, created = $8, changed = $9, vanished = $10,
    markers = case when $3 = 'failed' then markers else '{}' end
where id = $1 and claimed_by = $2 and state = 'running' and started_at = $11;

-- name: go_on
-- Have a failed pass gone on with after its last page, unless another of its kind was asked for since.
update passes
set state = 'waiting', failed_at = finished_at, finished_at = null
where id = $1
    and state = 'failed'
    and cardinality(markers) > 0
    and not exists (
        select from passes as other
        where other.cloud = passes.cloud
            and other.kind = passes.kind
            and other.id <> passes.id
            and (other.state in ('waiting', 'running') or other.asked_at > passes.asked_at)
    );

-- name: some
-- The passes with some ids.
select * from passes where id = any ($1::uuid[]) order by cloud, kind, asked_at;

-- name: latest
-- The latest pass of each cloud and kind, whatever its state.
select distinct on (cloud, kind) *
from passes
order by cloud, kind, asked_at desc, id;

-- name: latest_done
-- The latest pass of each cloud and kind that was made to its end.
select distinct on (cloud, kind) *
from passes
where state = 'done'
order by cloud, kind, asked_at desc, id;

-- name: purge
-- Forget passes that ended before a moment, but never the latest of a kind.
delete from passes
where finished_at < $1
    and exists (
        select from passes as newer
        where newer.cloud = passes.cloud
            and newer.kind = passes.kind
            and newer.asked_at > passes.asked_at
    );
