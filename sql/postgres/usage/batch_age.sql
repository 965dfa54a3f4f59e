SELECT extract(epoch FROM clock_timestamp() - sealed_at)::bigint AS seconds
FROM usage_batches WHERE batch = $1 AND state = 'sealed'
