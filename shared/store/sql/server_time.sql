-- Statements of shared/store/server_time.py.

-- name: now
-- The server's time at this moment, whenever the transaction began.
select clock_timestamp();
