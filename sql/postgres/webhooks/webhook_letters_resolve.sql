-- A person replays the event $1 by hand: its dead letter is answered. $2: who.
UPDATE dead_letters SET resolved_at = now(), resolution = 'retried', resolved_by = $2
WHERE kind = 'webhook' AND subject_id = $1 AND resolved_at IS NULL
