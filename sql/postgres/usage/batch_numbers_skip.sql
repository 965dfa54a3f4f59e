-- Numbers that ClickHouse knows and this ledger does not: the ledger was restored from a backup. They
-- are nobody's, and never given out again.
WITH unknown AS (
    INSERT INTO usage_batches (batch, generation, state, holder)
    SELECT number, $1, 'abandoned', 'unknown to this ledger'
    FROM generate_series((SELECT coalesce(max(batch), 0) + 1 FROM usage_batches), $2) AS number
    RETURNING batch
)
SELECT setval('usage_batch_numbers', greatest($2, (SELECT last_value FROM usage_batch_numbers)))
FROM unknown LIMIT 1
