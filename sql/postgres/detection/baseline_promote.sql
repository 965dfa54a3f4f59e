UPDATE baseline_versions SET state = 'active', promoted_at = now(), promoted_by = $2
WHERE version = $1 RETURNING version
