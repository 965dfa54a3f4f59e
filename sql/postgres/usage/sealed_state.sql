-- What is sealed, up to a batch ($1; NULL: the last one of the active generation).
SELECT generation,
    coalesce((
        SELECT max(batch) FROM usage_batches
        WHERE usage_batches.generation = chosen.generation AND state = 'sealed'
            AND ($1::bigint IS NULL OR batch <= $1::bigint)), 0) AS cutoff,
    swept_at IS NULL OR swept_at < clock_timestamp() - interval '1 day' AS is_sweep_due
FROM usage_generations AS chosen
WHERE CASE
    WHEN $1::bigint > 0 THEN
        generation = (SELECT generation FROM usage_batches WHERE batch = $1::bigint)
    ELSE state = 'active' END
