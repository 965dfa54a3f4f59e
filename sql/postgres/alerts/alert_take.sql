-- Takes the next message of route $1 that is due, for $2 seconds: if nobody settles it by then, it is due
-- again.
WITH due AS (
    SELECT message_id FROM alert_messages
    WHERE route = $1 AND state = 'pending' AND next_attempt_at <= (SELECT ledger_clock())
    ORDER BY next_attempt_at, message_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE alert_messages AS messages SET attempts = attempts + 1, token = nextval('alert_tokens'),
    next_attempt_at = ledger_clock() + $2::float8 * interval '1 second'
FROM due
WHERE messages.message_id = due.message_id
RETURNING messages.message_id, token, attempts,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_ms
