-- Alerts of which something is to be told, kept from others who choose routes meanwhile. is_new: no route
-- was chosen for this round; told: the routes that heard of it, and not that it is over.
SELECT alert_id, key, kind, severity, subject, customer_id, job, state, round,
    NOT EXISTS (
        SELECT FROM alert_deliveries
        WHERE alert_deliveries.alert_id = alerts.alert_id
            AND alert_deliveries.round = alerts.round) AS is_new,
    (SELECT string_agg(route, ',' ORDER BY route)
        FROM (
            SELECT DISTINCT ON (route) route, action
            FROM alert_deliveries
            WHERE alert_deliveries.alert_id = alerts.alert_id
            ORDER BY route, delivery_id DESC) AS last
        WHERE action <> 'resolve') AS told
FROM alerts
WHERE needs_routing
ORDER BY alert_id
LIMIT $1
FOR UPDATE SKIP LOCKED
