-- Gives a message up until a person has looked. $3: why.
WITH buried AS (
    UPDATE alert_messages SET state = 'dead', note = $3, settled_at = ledger_clock()
    WHERE message_id = $1 AND token = $2 AND state = 'pending'
    RETURNING message_id, route
)
INSERT INTO dead_letters (kind, subject_id, reason)
SELECT 'alert', message_id::text, route || ': ' || $3 FROM buried
ON CONFLICT (kind, subject_id) WHERE resolved_at IS NULL DO NOTHING
