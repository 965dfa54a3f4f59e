UPDATE usage_batches SET state = 'sealed', sealed_at = clock_timestamp(), months = $2::jsonb,
    events = (SELECT coalesce(sum((item->>'events')::bigint), 0) FROM jsonb_array_elements($2::jsonb) AS item),
    duplicates = (SELECT coalesce(sum((item->>'duplicates')::bigint), 0) FROM jsonb_array_elements($2::jsonb) AS item),
    conflicts = (SELECT coalesce(sum((item->>'conflicts')::bigint), 0) FROM jsonb_array_elements($2::jsonb) AS item),
    quarantined = (SELECT coalesce(sum(copies), 0) FROM quarantine WHERE quarantine.batch = $1)
WHERE batch = $1 AND state = 'open'
RETURNING events, duplicates, conflicts, quarantined
