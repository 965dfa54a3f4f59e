-- Alerts of which something is to be told, kept from others who choose routes meanwhile.
SELECT alert_id, key, kind, severity, subject, customer_id, job, state, round
FROM alerts
WHERE needs_routing
ORDER BY alert_id
LIMIT $1
FOR UPDATE SKIP LOCKED
