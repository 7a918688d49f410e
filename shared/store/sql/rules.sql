-- Statements of shared/store/rules.py and shared/store/rule_history.py.

-- name: lock
-- Lock the states of some keys until the end of the transaction, in the order given (sorted, so
-- that two deciders never deadlock), and make those that do not exist; one statement for both,
-- because between two a state could be forgotten.
insert into rule_states (rule, key, digest, forget_at)
select rule, key, '', '-infinity'
from unnest($1::text[], $2::text[]) as wanted (rule, key)
on conflict (rule, key) do update set digest = rule_states.digest
returning rule, key, digest, state, decided_at;

-- name: claim_due
-- Lock states whose first wait is over, of the rules that the asker knows, passing over those that
-- somebody decides about right now.
select rule, key, digest, state, decided_at
from rule_states
where due_at <= $1 and rule = any ($2::text[])
order by due_at, rule, key
limit $3
for update skip locked;

-- name: save
-- Write states that were locked before.
update rule_states
set digest = new.digest,
    state = new.state,
    decided_at = new.decided_at,
    due_at = new.due_at,
    forget_at = new.forget_at
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[]
) as new (rule, key, digest, state, decided_at, due_at, forget_at)
where rule_states.rule = new.rule and rule_states.key = new.key;

-- name: forget
-- Forget some states that make no difference any more, and waits that nobody has ended for a day
-- because their rules are gone.
delete from rule_states
where ctid = any (
    array(
        select ctid
        from rule_states
        where forget_at < $1::timestamptz
            and (due_at is null or due_at < $1::timestamptz - interval '1 day')
        limit $2
        for update skip locked
    )
);

-- name: go_on
-- Say that the clock runs at $1: the latest stretch goes on when it was said within $2. A new one
-- begins no earlier than any decision so far, which was made while the clock stood still.
with latest as (
    select began, ended from rule_clock order by began desc limit 1 for update
), going as (
    update rule_clock
    set ended = greatest(rule_clock.ended, $1::timestamptz)
    from latest
    where rule_clock.began = latest.began and latest.ended >= $1::timestamptz - $2::interval
    returning rule_clock.began
)
insert into rule_clock (began, ended)
select moment, moment
from (select greatest($1::timestamptz, (select max(decided_at) from rule_states)) as moment) as start
where not exists (select from going)
on conflict do nothing;

-- name: stretches
-- When the clock ran, oldest first.
select began, ended from rule_clock order by began;

-- name: forget_stretches
-- Forget stretches from before a moment, but the latest.
delete from rule_clock
where ended < $1 and began < (select max(began) from rule_clock);

-- name: events
-- Some events by their ids.
select events.*
from unnest($1::text[], $2::text[]) as wanted (cloud, id)
join event_ids using (cloud, id)
join events using (cloud, id, time);

-- name: history
-- The events of a stretch of time, in the order in which rules decided about them.
select *
from events
where time >= $1 and time < $2
order by recorded_at, time, cloud, id;

-- name: named
-- The events of an id, one for each cloud that has it.
select events.*
from event_ids
join events using (cloud, id, time)
where event_ids.id = $1
order by events.cloud;

-- name: counts
-- How many states there are, how many wait, and since when the first is over.
select count(*) as states, count(due_at) as waiting, min(due_at) as first_due from rule_states;
