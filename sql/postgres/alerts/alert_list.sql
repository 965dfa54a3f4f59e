-- The newest first. $1 state, $2 kind: NULL for all; $3: only the alert of this key or number; $4: at most,
-- NULL: all.
SELECT alert_id, key, kind, severity, subject, customer_id, state, round, body,
    acknowledged_by, needs_routing,
    NOT needs_routing AND NOT EXISTS (
        SELECT FROM alert_deliveries
        WHERE alert_deliveries.alert_id = alerts.alert_id
            AND alert_deliveries.round = alerts.round) AS has_no_route,
    (extract(epoch FROM raised_at) * 1000)::bigint AS raised_ms,
    (extract(epoch FROM resolved_at) * 1000)::bigint AS resolved_ms,
    (SELECT count(*) FROM alert_deliveries JOIN alert_messages USING (message_id)
        WHERE alert_deliveries.alert_id = alerts.alert_id
            AND alert_messages.state = 'delivered') AS delivered,
    (SELECT count(*) FROM alert_deliveries LEFT JOIN alert_messages USING (message_id)
        WHERE alert_deliveries.alert_id = alerts.alert_id
            AND coalesce(alert_messages.state, 'pending') = 'pending') AS waiting,
    (SELECT count(*) FROM alert_deliveries JOIN alert_messages USING (message_id)
        WHERE alert_deliveries.alert_id = alerts.alert_id
            AND alert_messages.state = 'dead') AS dead
FROM alerts
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2)
    AND ($3::text IS NULL OR key = $3 OR alert_id::text = $3)
ORDER BY alert_id DESC
LIMIT $4
