-- The newest builds of these metrics.
UPDATE usage_metrics SET is_ready = true
WHERE generation = $1 AND metric_key = ANY ($2::text[]) AND NOT is_ready
    AND build = (SELECT max(build) FROM usage_metrics AS newest
        WHERE newest.generation = $1 AND newest.metric_key = usage_metrics.metric_key)
