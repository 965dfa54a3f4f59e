-- What waits, and for how long. $1: the routes that are configured.
SELECT (SELECT count(*) FROM alerts WHERE needs_routing) AS unrouted,
    count(*) FILTER (WHERE coalesce(alert_messages.state, 'pending') = 'pending') AS waiting,
    count(*) FILTER (WHERE coalesce(alert_messages.state, 'pending') = 'pending'
        AND alert_deliveries.route <> ALL ($1::text[])) AS stranded,
    coalesce(extract(epoch FROM ledger_clock() - min(alert_deliveries.created_at)
        FILTER (WHERE coalesce(alert_messages.state, 'pending') = 'pending')), 0)::bigint
        AS oldest_seconds,
    (SELECT count(*) FROM dead_letters WHERE kind = 'alert' AND resolved_at IS NULL)
        AS dead_letters
FROM alert_deliveries
LEFT JOIN alert_messages USING (message_id)
