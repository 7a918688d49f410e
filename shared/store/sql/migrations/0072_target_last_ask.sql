-- The latest ask of a target: a read that began after it answers it, for whatever reason it was made.

alter table targets add column last_asked_at timestamptz;

update targets set last_asked_at = coalesce(asked_again_at, asked_at);

alter table targets alter column last_asked_at set not null;
