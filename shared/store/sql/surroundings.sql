-- Statements of shared/store/surroundings.py.

-- name: own
-- When the newest $5 events of an object ($1, kind/id) happened, and what they name with it.
select cloud, time, refs
from events
where refs @> array[$1]
    and ($2::text is null or cloud = $2)
    and ($3::timestamptz is null or time >= $3)
    and ($4::timestamptz is null or time < $4)
order by time desc
limit $5;
