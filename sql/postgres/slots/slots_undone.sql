-- Slots of a job that are due at $2, oldest first.
SELECT slot, (extract(epoch FROM due_at) * 1000)::bigint AS due_ms
FROM job_slots
WHERE job = $1 AND status IN ('pending', 'running', 'failed') AND due_at <= $2::timestamptz
ORDER BY slot_start
