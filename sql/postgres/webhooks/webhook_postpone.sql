-- Puts an event back for $3 seconds, because of $4. $5: whether this was an attempt that failed.
UPDATE webhook_events SET next_attempt_at = ledger_clock() + $3::float8 * interval '1 second',
    note = $4, attempts = attempts - CASE WHEN $5::boolean THEN 0 ELSE 1 END, token = NULL
WHERE event_id = $1 AND token = $2 AND state = 'pending'
