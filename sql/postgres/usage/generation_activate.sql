UPDATE usage_generations SET state = 'active', swept_at = clock_timestamp()
WHERE generation = $1 AND state = 'building' RETURNING generation
