-- A person has mended the cause: what was given up for alert $1 (NULL: for any) is sent again. $2: who.
UPDATE dead_letters SET resolved_at = now(), resolution = 'retried', resolved_by = $2
WHERE kind = 'alert' AND resolved_at IS NULL
    AND ($1::bigint IS NULL OR subject_id IN (
        SELECT message_id::text FROM alert_deliveries WHERE alert_id = $1::bigint))
RETURNING subject_id
