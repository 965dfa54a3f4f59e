SELECT swept_at IS NULL OR swept_at < clock_timestamp() - interval '1 day' AS is_due
FROM usage_generations WHERE generation = $1
