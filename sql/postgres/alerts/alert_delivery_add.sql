-- What route $3 has to hear of alert $1 in its round $2: $4, and what the alert says now.
INSERT INTO alert_deliveries (alert_id, round, route, action, severity, body, happened_at)
SELECT alert_id, $2::integer, $3::text, $4::text, severity, body,
    CASE $4::text WHEN 'resolve' THEN coalesce(resolved_at, raised_at)
        WHEN 'acknowledge' THEN coalesce(acknowledged_at, raised_at)
        ELSE raised_at END
FROM alerts WHERE alert_id = $1
ON CONFLICT (alert_id, round, route, action) DO NOTHING
