-- Held until the transaction ends, however it ends.
SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' ' || $1, 0)) AS locked
