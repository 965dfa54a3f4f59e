-- What is sealed in a generation ($1), up to a batch ($2; NULL: the last one).
SELECT coalesce(max(batch), 0) AS cutoff
FROM usage_batches
WHERE generation = $1 AND state = 'sealed' AND ($2::bigint IS NULL OR batch <= $2::bigint)
