-- In the transaction of the cause. What is raised already stays as it is; what was resolved is raised anew.
INSERT INTO alerts (key, kind, severity, subject, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key) DO UPDATE SET state = 'open', round = alerts.round + 1,
    raised_at = ledger_clock(), severity = excluded.severity, body = excluded.body,
    acknowledged_at = NULL, acknowledged_by = NULL, resolved_at = NULL, needs_routing = true
WHERE alerts.state = 'resolved'
