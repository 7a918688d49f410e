-- The canonical name of a type that has several; null where the type is it, as it mostly is.
alter table events add column canonical text collate "C";

-- All events of one type under its other names.
create index events_by_canonical on events (canonical, time, id) where canonical is not null;
