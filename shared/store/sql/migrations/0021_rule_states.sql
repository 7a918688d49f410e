-- States change with almost every decision: without an index on when they may be forgotten, most
-- changes are written in place. Forgetting reads the table instead, which is small.
drop index rule_states_by_age;
