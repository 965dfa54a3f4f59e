-- What waits, and for how long. $1: the routes that are configured.
WITH unrouted AS (
    SELECT greatest(raised_at, acknowledged_at, resolved_at) AS since FROM alerts WHERE needs_routing
), waiting AS (
    SELECT alert_deliveries.created_at AS since, alert_deliveries.route,
        alert_deliveries.route <> ALL ($1::text[]) AS is_stranded
    FROM alert_deliveries
    LEFT JOIN alert_messages USING (message_id)
    WHERE coalesce(alert_messages.state, 'pending') = 'pending'
)
SELECT (SELECT count(*) FROM unrouted) AS unrouted, count(*) AS waiting,
    count(*) FILTER (WHERE is_stranded) AS stranded,
    string_agg(DISTINCT route, ', ') FILTER (WHERE is_stranded) AS stranded_routes,
    coalesce(extract(epoch FROM ledger_clock()
        - least(min(since), (SELECT min(since) FROM unrouted))), 0)::bigint AS oldest_seconds,
    (SELECT count(*) FROM dead_letters WHERE kind = 'alert' AND resolved_at IS NULL)
        AS dead_letters
FROM waiting
