-- The last sealed batch of a generation that has events: ClickHouse must hold it.
SELECT coalesce(max(batch), 0) AS batch FROM usage_batches
WHERE generation = $1 AND state = 'sealed' AND events > 0
