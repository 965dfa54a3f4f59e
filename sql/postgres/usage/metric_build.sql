-- A number for a new set of rollups, so that those of a backfill that died never count.
INSERT INTO usage_metrics (generation, metric_key, build, is_ready)
SELECT $1, $2, coalesce(max(build), 0) + 1, false
FROM usage_metrics WHERE generation = $1 AND metric_key = $2
RETURNING build, metric_key || '.' || build AS rollup_key
