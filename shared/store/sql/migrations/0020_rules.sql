-- What rules remember, when their clock ran, and why an event came.

-- What a rule remembers of one key. Rows are locked in the order of their keys, so that processors
-- that decide about the same ones take turns and never deadlock.
create table rule_states (
    rule text collate "C" not null,
    key text collate "C" not null,
    -- Of the part of the rule that says what the state means; another one: start from nothing.
    digest text not null,
    -- JSON, see services/processor/rules/state.py; null before the first decision.
    state text,
    -- The latest decision; the next is later, whatever the clocks of two machines say.
    -- Null before the first.
    decided_at timestamptz,
    -- When the first wait is over; null when nothing waits.
    due_at timestamptz,
    -- From when on the state makes no difference any more.
    forget_at timestamptz not null,
    primary key (rule, key)
) with (fillfactor = 70); -- updated in place again and again

create index rule_states_by_due on rule_states (due_at) where due_at is not null;
create index rule_states_by_age on rule_states (forget_at);

-- The stretches in which a processor was there to end waits; between them the waits stood still.
create table rule_clock (
    began timestamptz primary key,
    ended timestamptz not null
);

-- Null for news; history is what a source had kept from before it was watched.
alter table events add column occasion text;
