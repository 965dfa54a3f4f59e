-- $1 id, NULL: all open ones; $2 retried or discarded; $3 who; $4 why.
UPDATE dead_letters SET resolved_at = now(), resolution = $2, resolved_by = $3, resolve_reason = $4
WHERE resolved_at IS NULL AND ($1::bigint IS NULL OR dead_letter_id = $1::bigint)
RETURNING dead_letter_id, kind, subject_id
