-- Makes the next message of route $1 of at most $2 deliveries that may go now. What is critical, or was,
-- goes at once; $3: nothing else may go (quiet hours). $4: for so many seconds a route hears of a kind and
-- subject once; $5: others are gathered for so many seconds; $6: and go in at most so many messages an hour.
WITH ready AS (
    SELECT delivery_id, 'critical' IN (alerts.severity, deliveries.severity) AS is_critical,
        deliveries.created_at
    FROM alert_deliveries AS deliveries
    JOIN alerts USING (alert_id)
    WHERE deliveries.route = $1 AND message_id IS NULL
        AND (NOT $3::boolean OR 'critical' IN (alerts.severity, deliveries.severity))
        -- In order: nobody hears that something is over before hearing of it.
        AND NOT EXISTS (
            SELECT FROM alert_deliveries AS earlier
            LEFT JOIN alert_messages ON alert_messages.message_id = earlier.message_id
            WHERE earlier.alert_id = deliveries.alert_id AND earlier.route = $1
                AND earlier.delivery_id < deliveries.delivery_id
                AND coalesce(alert_messages.state, 'pending') IN ('pending', 'dead'))
        AND (action <> 'trigger' OR $4::bigint = 0 OR NOT EXISTS (
            SELECT FROM alerts AS same
            JOIN alert_deliveries AS told ON told.alert_id = same.alert_id
            JOIN alert_messages ON alert_messages.message_id = told.message_id
            WHERE same.kind = alerts.kind AND same.subject = alerts.subject
                AND told.route = $1 AND told.action = 'trigger'
                AND alert_messages.created_at
                    > (SELECT ledger_clock()) - $4::bigint * interval '1 second'))
    ORDER BY is_critical DESC, delivery_id
    LIMIT $2
    FOR UPDATE OF deliveries SKIP LOCKED
), due AS (
    SELECT delivery_id FROM ready
    WHERE EXISTS (SELECT FROM ready WHERE is_critical)
        OR EXISTS (
            SELECT FROM ready
            WHERE created_at <= (SELECT ledger_clock()) - $5::bigint * interval '1 second')
        AND (
            SELECT count(*) FROM alert_messages
            WHERE route = $1 AND created_at > (SELECT ledger_clock()) - interval '1 hour') < $6
), message AS (
    INSERT INTO alert_messages (route) SELECT $1 WHERE EXISTS (SELECT FROM due)
    RETURNING message_id
)
UPDATE alert_deliveries SET message_id = message.message_id
FROM message, due
WHERE alert_deliveries.delivery_id = due.delivery_id
RETURNING alert_deliveries.delivery_id
