-- Statements of shared/store/partitions.py.

-- name: create
-- Make the weekly partition of each moment, unless it exists.
select create_events_partition(moment) from unnest($1::timestamptz[]) as moment;

-- name: past
-- The weekly partitions whose week ended before a moment, oldest first.
select child.relname
from pg_inherits
join pg_class as child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = 'events'::regclass
    and child.relname ~ '^events_\d{4}w\d{2}$'
    and to_timestamp(substr(child.relname, 8), 'IYYY"w"IW') at time zone 'UTC'
        + interval '7 days' <= $1::timestamptz at time zone 'UTC'
order by child.relname;

-- name: weeks
-- Every weekly partition, oldest first, with what it takes on disk, its indexes included.
select
    child.relname as name,
    to_timestamp(substr(child.relname, 8), 'IYYY"w"IW') as begins,
    pg_total_relation_size(child.oid) as bytes
from pg_inherits
join pg_class as child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = 'events'::regclass
    and child.relname ~ '^events_\d{4}w\d{2}$'
order by child.relname;

-- name: drop
-- Drop one partition; names come from `past`.
select drop_events_partition($1);

-- name: delete_outlying
-- Delete the outlying rows that are too old.
delete from events_outlying where time < $1;

-- name: id_blocks
-- How many blocks the table of ids has.
select pg_relation_size('event_ids') / current_setting('block_size')::bigint;

-- name: forget_ids
-- Delete the ids of events before a moment from a range of blocks: one look at each row, in steps.
delete from event_ids
where ctid >= format('(%s,0)', $1::bigint)::tid
    and ctid < format('(%s,0)', $2::bigint)::tid
    and time < $3;

-- name: forget_category
-- Delete up to $5 events of a category, and their ids, between two moments and before a third: of
-- one week at a time, so that one partition is planned and locked.
with doomed as (
    delete from events
    where class = any (
            array(select event_classes.id from event_classes where event_classes.category = $1)
        )
        and time >= $2
        and time < least($3::timestamptz, $4::timestamptz)
        and ctid = any (
            array(
                select old.ctid
                from events as old
                where old.class = any (
                        array(
                            select event_classes.id
                            from event_classes
                            where event_classes.category = $1
                        )
                    )
                    and old.time >= $2
                    and old.time < least($3, $4)
                limit $5
            )
        )
    returning cloud, id
),
forgotten as (
    delete from event_ids using doomed
    where event_ids.cloud = doomed.cloud and event_ids.id = doomed.id
)
select count(*) from doomed;
