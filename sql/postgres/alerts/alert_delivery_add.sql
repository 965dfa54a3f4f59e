INSERT INTO alert_deliveries (alert_id, round, route, action) VALUES ($1, $2, $3, $4)
ON CONFLICT (alert_id, round, route, action) DO NOTHING
