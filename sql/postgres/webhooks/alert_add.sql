INSERT INTO alerts (key, kind, severity, subject, body) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (key) DO NOTHING
