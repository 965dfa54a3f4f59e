SELECT metric_key, metric_key || '.' || build AS rollup_key
FROM usage_metrics WHERE generation = $1 AND is_ready
