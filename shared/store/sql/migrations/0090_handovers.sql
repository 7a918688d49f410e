-- What commands have for the bus of a process that has it within itself (`osevents up`): the process
-- takes it from here. Rows are few and short-lived.
create table handovers (
    number bigint generated always as identity primary key,
    -- The only group of consumers that is to have it; null: everybody.
    for_group text,
    -- One CloudEvent, as on the bus.
    event bytea not null,
    at timestamptz not null
);
