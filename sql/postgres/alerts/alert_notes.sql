-- What message $1 says.
SELECT action, key, kind, severity, subject, body,
    (extract(epoch FROM CASE action WHEN 'resolve' THEN coalesce(resolved_at, raised_at)
        WHEN 'acknowledge' THEN coalesce(acknowledged_at, raised_at)
        ELSE raised_at END) * 1000)::bigint AS at_ms
FROM alert_deliveries
JOIN alerts USING (alert_id)
WHERE message_id = $1
ORDER BY delivery_id
