-- Nothing follows from the event: $3 says how it ends, $4 why. If it was given up before, the alert $5 is over.
WITH settled AS (
    UPDATE webhook_events SET state = $3, note = $4, settled_at = ledger_clock()
    WHERE event_id = $1 AND token = $2 AND state = 'pending'
    RETURNING event_id
)
UPDATE alerts SET state = 'resolved', resolved_at = ledger_clock(), needs_routing = true
FROM settled
WHERE alerts.key = $5 AND alerts.state <> 'resolved'
