-- A pass that failed in the middle is gone on with, as the same pass.

-- When it last failed: what it had corrected by then is counted.
alter table passes add column failed_at timestamptz;
