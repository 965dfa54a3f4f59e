-- Alerts that were resolved more than $1 days ago, with what was sent of them; at most $2.
WITH old AS (
    SELECT alert_id FROM alerts
    WHERE state = 'resolved' AND resolved_at < ledger_clock() - $1 * interval '1 day'
        AND NOT needs_routing
        AND NOT EXISTS (
            SELECT FROM alert_deliveries LEFT JOIN alert_messages USING (message_id)
            WHERE alert_deliveries.alert_id = alerts.alert_id
                AND coalesce(alert_messages.state, 'pending') IN ('pending', 'dead'))
    ORDER BY resolved_at LIMIT $2
), deliveries AS (
    DELETE FROM alert_deliveries USING old WHERE alert_deliveries.alert_id = old.alert_id
)
DELETE FROM alerts USING old WHERE alerts.alert_id = old.alert_id
