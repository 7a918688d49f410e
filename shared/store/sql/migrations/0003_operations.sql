-- What the services note for their next start, for each other and for the operator.

-- How far a source was read.
create table checkpoints (
    cloud text not null,
    source text not null,
    position jsonb not null,
    saved_at timestamptz not null,
    primary key (cloud, source)
);

-- What could not be handled, with the reason. The digest covers the other columns, so that a letter
-- delivered twice is kept once.
create table dead_letters (
    number bigint generated always as identity primary key,
    digest bytea not null unique,
    origin text not null,
    reason text not null,
    cloud text,
    body bytea not null,
    at timestamptz not null
);

-- The latest word of each running copy of a service.
create table service_status (
    service text not null,
    instance text not null,
    -- Empty for what is not about one cloud.
    cloud text not null default '',
    at timestamptz not null,
    figures jsonb not null,
    primary key (service, instance, cloud)
);
