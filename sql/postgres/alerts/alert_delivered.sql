UPDATE alert_messages SET state = 'delivered', settled_at = ledger_clock(), note = NULL
WHERE message_id = $1 AND token = $2 AND state = 'pending'
