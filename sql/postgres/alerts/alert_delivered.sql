-- $3: who did not get it, in words.
UPDATE alert_messages SET state = 'delivered', settled_at = ledger_clock(), note = $3
WHERE message_id = $1 AND token = $2 AND state = 'pending'
