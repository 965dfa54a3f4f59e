-- The generation of a batch ($1), or the active one (NULL, or 0: nothing was sealed yet).
SELECT generation FROM usage_generations
WHERE CASE WHEN $1::bigint > 0
    THEN generation = (SELECT generation FROM usage_batches WHERE batch = $1::bigint)
    ELSE state = 'active' END
