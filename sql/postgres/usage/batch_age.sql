SELECT extract(epoch FROM clock_timestamp() - sealed_at)::bigint AS seconds,
    (extract(epoch FROM sealed_at) * 1000)::bigint AS sealed_ms
FROM usage_batches WHERE batch = $1 AND state = 'sealed'
