-- What routes heard of alert $1.
SELECT alert_deliveries.route, action, round, alert_deliveries.message_id, coalesce(attempts, 0) AS attempts, note,
    coalesce(alert_messages.state, 'pending') AS state,
    (extract(epoch FROM alert_messages.settled_at) * 1000)::bigint AS settled_ms,
    (extract(epoch FROM alert_messages.next_attempt_at) * 1000)::bigint AS next_attempt_ms
FROM alert_deliveries
LEFT JOIN alert_messages USING (message_id)
WHERE alert_id = $1
ORDER BY delivery_id
