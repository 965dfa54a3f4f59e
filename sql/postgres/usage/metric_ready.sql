UPDATE usage_metrics SET is_ready = true WHERE generation = $1 AND metric_key || '.' || build = ANY ($2)
