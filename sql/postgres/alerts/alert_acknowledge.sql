-- $2: who has seen it.
UPDATE alerts SET state = 'acknowledged', acknowledged_at = ledger_clock(), acknowledged_by = $2,
    needs_routing = true
WHERE key = $1 AND state = 'open'
