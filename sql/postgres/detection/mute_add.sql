INSERT INTO anomaly_mutes (customer_id, metric, starts_at, ends_at, by, reason)
VALUES ($1, $2, $3::timestamptz, $4::timestamptz, $5, $6)
RETURNING mute_id
