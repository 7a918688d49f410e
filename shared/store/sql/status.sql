-- Statements of shared/store/status.py.

-- name: report
-- Note the latest word of a copy; an older one never replaces it.
insert into service_status (service, instance, cloud, at, figures)
values ($1, $2, $3, $4, $5)
on conflict (service, instance, cloud) do update
set at = excluded.at, figures = excluded.figures
where service_status.at <= excluded.at;

-- name: latest
-- The latest word of every copy that spoke since a moment.
select service, instance, cloud, at, figures
from service_status
where at >= $1
order by service, instance, cloud;

-- name: purge
-- Forget copies that have been silent since before a moment.
delete from service_status where at < $1;
