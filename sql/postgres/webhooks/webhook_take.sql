-- Takes up to $1 events that are due, for $2 seconds: if nobody settles them by then, they are due again.
WITH due AS (
    SELECT event_id FROM webhook_events
    WHERE state = 'pending' AND next_attempt_at <= (SELECT ledger_clock())
    ORDER BY next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE webhook_events AS events SET attempts = attempts + 1, token = nextval('webhook_tokens'),
    next_attempt_at = ledger_clock() + $2::float8 * interval '1 second'
FROM due
WHERE events.event_id = due.event_id
RETURNING events.event_id, token, attempts, payload
