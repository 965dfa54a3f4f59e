-- Puts a message back for $3 seconds. $4: why.
UPDATE alert_messages SET next_attempt_at = ledger_clock() + $3::bigint * interval '1 second',
    note = $4
WHERE message_id = $1 AND token = $2 AND state = 'pending'
