-- The same of what was given up. $1: the route; $2: who; $3: why.
UPDATE dead_letters SET resolved_at = now(), resolution = 'discarded', resolved_by = $2,
    resolve_reason = $3
WHERE kind = 'alert' AND resolved_at IS NULL
    AND subject_id IN (
        SELECT message_id::text FROM alert_messages WHERE route = $1 AND state = 'dead')
RETURNING subject_id
