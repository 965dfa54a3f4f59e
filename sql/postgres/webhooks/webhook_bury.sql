-- Gives an event up until a person has looked. $3: why.
WITH buried AS (
    UPDATE webhook_events SET state = 'dead', note = $3, settled_at = ledger_clock()
    WHERE event_id = $1 AND token = $2 AND state = 'pending'
    RETURNING event_id
)
INSERT INTO dead_letters (kind, subject_id, reason)
SELECT 'webhook', event_id, $3 FROM buried
ON CONFLICT (kind, subject_id) WHERE resolved_at IS NULL DO NOTHING
RETURNING dead_letter_id
