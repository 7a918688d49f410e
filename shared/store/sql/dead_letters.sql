-- Statements of shared/store/dead_letters.py.

-- name: keep
-- Keep letters, each once, in the order of their digests (so that two writers never deadlock).
insert into dead_letters (digest, origin, reason, cloud, body, at)
select digest, origin, reason, cloud, body, at
from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
    as new (digest, origin, reason, cloud, body, at)
on conflict do nothing;

-- name: find
-- One page of letters, latest kept first, below a number; null means any.
select number, origin, reason, cloud, body, at
from dead_letters
where ($1::bigint is null or number < $1)
    and ($2::text is null or origin = $2)
    and ($3::text is null or cloud = $3)
order by number desc
limit $4;

-- name: get
-- Letters by their numbers.
select number, origin, reason, cloud, body, at
from dead_letters
where number = any ($1::bigint[])
order by number;

-- name: drop
-- Remove letters that were sent again or are not wanted any more.
delete from dead_letters where number = any ($1::bigint[]);

-- name: counts
-- How many letters each origin left, by cloud, and when the latest came.
select origin, cloud, count(*) as count, max(at) as latest
from dead_letters
group by origin, cloud
order by origin, cloud;

-- name: purge
-- Forget letters from before a moment.
delete from dead_letters where at < $1;
