-- What `osevents status` and the screen tell about the timeline as a whole.

-- name: recent
-- For each cloud: how many events happened since a moment, the newest, how late they were written.
select
    cloud,
    count(*) as events,
    max(time) as newest,
    percentile_cont(0.5) within group (
        order by extract(epoch from recorded_at - time)::float8
    ) as lag_median_seconds,
    percentile_cont(0.99) within group (
        order by extract(epoch from recorded_at - time)::float8
    ) as lag_p99_seconds
from events
where time >= $1
group by cloud
order by cloud;

-- name: unknown_types
-- The types that no catalogue entry names, and how often each came since a moment.
select cloud, type, count(*) as events
from events
where time >= $1 and not known
group by cloud, type
order by events desc, cloud, type
limit $2;

-- name: newest
-- When the newest event of each service of each cloud happened, since a moment.
select cloud, service, max(time) as newest
from events
where time >= $1
group by cloud, service;

-- name: server_version
-- The version of the server as a number, such as 140011.
select current_setting('server_version_num');
