-- What message $1 says.
SELECT action, key, kind, alert_deliveries.severity, subject, alert_deliveries.body,
    (extract(epoch FROM happened_at) * 1000)::bigint AS at_ms
FROM alert_deliveries
JOIN alerts USING (alert_id)
WHERE message_id = $1
ORDER BY delivery_id
