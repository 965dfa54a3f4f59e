-- What waits, and since when.
SELECT count(*) AS pending,
    coalesce(extract(epoch FROM ledger_clock() - min(received_at)), 0)::bigint AS oldest_seconds,
    (SELECT count(*) FROM dead_letters WHERE kind = 'webhook' AND resolved_at IS NULL)
        AS dead_letters
FROM webhook_events WHERE state = 'pending'
