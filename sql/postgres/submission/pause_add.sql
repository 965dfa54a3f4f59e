INSERT INTO billing_pauses (paused_by, reason) VALUES ($1, $2) ON CONFLICT DO NOTHING
RETURNING pause_id
