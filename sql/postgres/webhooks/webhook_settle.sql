-- Nothing follows from the event: $3 says how it ends, $4 why.
UPDATE webhook_events SET state = $3, note = $4, settled_at = ledger_clock()
WHERE event_id = $1 AND token = $2 AND state = 'pending'
