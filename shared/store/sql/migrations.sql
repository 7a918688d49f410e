-- Bookkeeping of shared/store/migrations.py.

-- name: lock
-- Keep other migrations out until this transaction ends; the number is "osevents" in hexadecimal.
select pg_advisory_xact_lock(x'6f736576656e7473'::bigint);

-- name: create
-- The table that says what was applied.
create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);

-- name: exists
-- Whether this database was ever migrated.
select to_regclass('schema_migrations') is not null;

-- name: applied
-- What was applied, with the checksum of its text.
select name, checksum from schema_migrations;

-- name: record
-- Note that a migration was applied.
insert into schema_migrations (name, checksum) values ($1, $2);
