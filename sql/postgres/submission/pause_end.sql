UPDATE billing_pauses SET resumed_at = now(), resumed_by = $1 WHERE resumed_at IS NULL
RETURNING pause_id
