SELECT metric_key, rollup_key
FROM usage_metrics WHERE generation = $1 AND is_ready
