-- Statements of shared/store/locks.py.

-- name: lock
-- Take a lock if nobody has it; it belongs to this connection.
select pg_try_advisory_lock($1);

-- name: unlock
-- Give the lock back.
select pg_advisory_unlock($1);

-- name: look
-- Whether the connection, and the lock with it, is still there.
select true;
