-- Rows that these batches put into quarantine, and that nobody has released.
SELECT coalesce(sum(copies), 0)::bigint AS copies FROM quarantine
WHERE batch = ANY ($1::bigint[]) AND released_at IS NULL
