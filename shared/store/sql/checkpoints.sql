-- Statements of shared/store/checkpoints.py.

-- name: load
-- How far a source was read.
select position from checkpoints where cloud = $1 and source = $2;

-- name: hold
-- How far a source was read, kept from others until the end of the transaction.
select position from checkpoints where cloud = $1 and source = $2 for update;

-- name: save
-- Note how far a source was read; the latest word counts.
insert into checkpoints (cloud, source, position, saved_at)
values ($1, $2, $3, $4)
on conflict (cloud, source) do update
set position = excluded.position, saved_at = excluded.saved_at;
