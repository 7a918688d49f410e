-- Statements of shared/store/dead_letters.py.

-- name: keep
-- Keep letters, in the order of their digests (so that two writers never deadlock). One that is
-- there already died again, unless it is the same death, delivered twice.
insert into dead_letters as kept (digest, origin, reason, cloud, body, at, first_at, tries)
select digest, origin, reason, cloud, body, at, first_at, tries
from unnest(
    $1::bytea[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[],
    $7::timestamptz[], $8::integer[]
) as new (digest, origin, reason, cloud, body, at, first_at, tries)
on conflict (digest) do update
set reason = excluded.reason,
    at = excluded.at,
    first_at = least(kept.first_at, excluded.first_at),
    tries = kept.tries + excluded.tries,
    return_at = null,
    returned_at = null
where kept.at < excluded.at;

-- name: find
-- One page of letters, highest number first, below a number; null means any. Those that were sent
-- back and have not died again are none any more.
select number, origin, reason, cloud, body, at, first_at, tries, return_at is not null as asked_for
from dead_letters
where returned_at is null
    and ($1::bigint is null or number < $1)
    and ($2::text is null or origin = $2)
    and ($3::text is null or cloud = $3)
    and ($4::timestamptz is null or at >= $4)
    and ($5::text is null or strpos(lower(reason), lower($5)) > 0)
order by number desc
limit $6;

-- name: get
-- Letters by their numbers.
select number, origin, reason, cloud, body, at, first_at, tries, return_at is not null as asked_for
from dead_letters
where number = any ($1::bigint[]) and returned_at is null
order by number;

-- name: drop
-- Remove letters that are not wanted any more.
delete from dead_letters where number = any ($1::bigint[]);

-- name: ask
-- Ask for letters to be sent back to where they died.
update dead_letters set return_at = $2 where number = any ($1::bigint[]) and returned_at is null;

-- name: claim
-- Take letters that are to be sent back, those asked for first; a copy that died on them is
-- followed by another when its lease ends.
with due as (
    select number
    from dead_letters
    where return_at <= $1
    order by return_at, number
    limit $2
    for update skip locked
)
update dead_letters
set return_at = $3
from due
where dead_letters.number = due.number
returning
    dead_letters.number, origin, reason, cloud, body, at, first_at, tries, true as asked_for;

-- name: returned
-- A letter was sent back; one that died again meanwhile is left alone.
update dead_letters
set returned_at = $3, return_at = null
where number = $1 and at = $2;

-- name: died_again
-- A letter could not be sent back and stays, with what kept it.
update dead_letters
set reason = $3, at = $4, tries = tries + 1, return_at = null
where number = $1 and at = $2;

-- name: counts
-- How many letters each origin left, by cloud, and when the latest came.
select origin, cloud, count(*) as count, max(at) as latest
from dead_letters
where returned_at is null
group by origin, cloud
order by origin, cloud;

-- name: purge
-- Forget letters from before a moment, and those sent back before another.
delete from dead_letters where at < $1 or returned_at < $2;
