UPDATE usage_generations SET swept_at = clock_timestamp() WHERE generation = $1
