-- Statements of shared/store/handovers.py.

-- name: put
-- Add events for the bus, in order.
insert into handovers (for_group, event, at)
select $1, event, $3 from unnest($2::bytea[]) with ordinality as given (event, place)
order by place;

-- name: waiting
-- How many wait, counted up to a bound.
select count(*) from (select from handovers limit $1) as counted;

-- name: take
-- The oldest that wait, kept from others until the end of the transaction.
select number, for_group, event
from handovers
order by number
limit $1
for update skip locked;

-- name: forget
-- The bus has them.
delete from handovers where number = any($1::bigint[]);
