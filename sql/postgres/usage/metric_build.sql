-- A number for a new set of rollups, so that those of a backfill that died never count. $3: the rollup
-- that holds it already.
INSERT INTO usage_metrics (generation, metric_key, build, rollup_key, is_ready)
SELECT $1, $2, coalesce(max(build), 0) + 1,
    coalesce($3, $2 || '.' || (coalesce(max(build), 0) + 1)), false
FROM usage_metrics WHERE generation = $1 AND metric_key = $2
RETURNING rollup_key
