-- What /metrics and the metrics file say of the ledger: a family, its labels, and a value a row. Only the
-- newest month's invoices: the others do not move any more.
WITH stripe AS MATERIALIZED (
    SELECT outcome, place, sum(requests) AS requests, sum(seconds) AS seconds,
        sum(waited_seconds) AS waited_seconds
    FROM (
        SELECT outcome, place, requests, seconds, waited_seconds FROM stripe_totals
        UNION ALL
        SELECT outcome, place, 1, seconds, waited_seconds FROM stripe_attempt_facts
        WHERE sent_at >= coalesce(
                (SELECT max(day) + 1 FROM stripe_totals)::timestamp AT TIME ZONE 'UTC', '-infinity')
            -- What is on its way is counted when its end is known.
            AND (answered_at IS NOT NULL OR sent_at < ledger_clock() - interval '2 minutes')
    ) AS all_of_them
    GROUP BY outcome, place
)
SELECT family, value,
    -- As Prometheus writes them: its escapes are JSON's.
    coalesce((
        SELECT string_agg(name || '=' || to_json(label)::text, ',' ORDER BY name)
        FROM jsonb_each_text(labels) AS parts (name, label)), '') AS labels
FROM (
    SELECT 'meterflow_slots' AS family,
        jsonb_build_object('job_name', job, 'status', status) AS labels, count(*)::text AS value
    FROM job_slots GROUP BY job, status
    UNION ALL
    SELECT 'meterflow_slot_oldest_due_seconds', jsonb_build_object('job_name', job),
        greatest(0, extract(epoch FROM ledger_clock() - min(due_at)))::bigint::text
    FROM job_slots WHERE status IN ('pending', 'running', 'failed') AND is_planned GROUP BY job
    UNION ALL
    SELECT 'meterflow_invoices', jsonb_build_object('slot', slot, 'status', status,
            'held', CASE WHEN held IS NULL THEN 'no' ELSE 'yes' END, 'currency', currency),
        sum(invoices)::text
    FROM billing_status WHERE slot = (SELECT max(slot) FROM invoices)
    GROUP BY slot, status, held IS NULL, currency
    UNION ALL
    SELECT 'meterflow_invoices_minor_units', jsonb_build_object('slot', slot, 'status', status,
            'currency', currency), sum(total_minor)::text
    FROM billing_status WHERE slot = (SELECT max(slot) FROM invoices)
    GROUP BY slot, status, currency
    UNION ALL
    SELECT 'meterflow_dead_letters', jsonb_build_object('kind', kinds.kind),
        count(dead_letter_id)::text
    FROM unnest(ARRAY['invoice', 'webhook', 'alert']) AS kinds (kind)
    LEFT JOIN dead_letters ON dead_letters.kind = kinds.kind AND resolved_at IS NULL
    GROUP BY kinds.kind
    UNION ALL
    SELECT 'meterflow_billing_paused', '{}', count(*)::text
    FROM billing_pauses WHERE resumed_at IS NULL
    UNION ALL
    SELECT 'meterflow_sealing_age_seconds', '{}',
        extract(epoch FROM ledger_clock() - max(sealed_at))::bigint::text
    FROM usage_batches WHERE state = 'sealed' HAVING max(sealed_at) IS NOT NULL
    UNION ALL
    SELECT 'meterflow_quarantined_rows', '{}', coalesce(sum(copies), 0)::text
    FROM quarantine JOIN usage_generations USING (generation)
    WHERE released_at IS NULL AND state = 'active'
    UNION ALL
    SELECT 'meterflow_anomalies', jsonb_build_object('kind', kind, 'severity', severity,
            'status', status), count(*)::text
    FROM anomalies GROUP BY kind, severity, status
    UNION ALL
    SELECT 'meterflow_alerts', jsonb_build_object('state', state, 'severity', severity),
        count(*)::text
    FROM alerts GROUP BY state, severity
    UNION ALL
    SELECT 'meterflow_alert_messages', jsonb_build_object('route', route, 'state', state),
        count(*)::text
    FROM alert_messages GROUP BY route, state
    UNION ALL
    SELECT 'meterflow_alert_oldest_waiting_seconds', '{}',
        coalesce(extract(epoch FROM ledger_clock() - min(since)), 0)::bigint::text
    FROM (
        SELECT alert_deliveries.created_at AS since
        FROM alert_deliveries LEFT JOIN alert_messages USING (message_id)
        WHERE coalesce(alert_messages.state, 'pending') = 'pending'
        UNION ALL
        -- Nobody has chosen routes: nobody sends, or there is no route.
        SELECT greatest(raised_at, acknowledged_at, resolved_at) FROM alerts WHERE needs_routing
    ) AS waiting
    UNION ALL
    SELECT 'meterflow_stripe_requests_total', jsonb_build_object('outcome', outcome),
        sum(requests)::text
    FROM stripe GROUP BY outcome
    UNION ALL
    -- How long answers took: cumulative, as Prometheus' histograms are.
    SELECT 'meterflow_stripe_request_duration_seconds_bucket',
        jsonb_build_object('le', coalesce(bound::text, '+Inf')),
        coalesce(sum(answers) OVER (ORDER BY place), 0)::bigint::text
    FROM unnest(ARRAY[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, NULL]::numeric[]) WITH ORDINALITY
        AS bounds (bound, place)
    LEFT JOIN (SELECT place, sum(requests) AS answers FROM stripe GROUP BY place) AS timed
        USING (place)
    UNION ALL
    SELECT 'meterflow_stripe_request_duration_seconds_sum', '{}',
        coalesce(sum(seconds), 0)::numeric(20, 3)::text
    FROM stripe
    UNION ALL
    SELECT 'meterflow_stripe_request_duration_seconds_count', '{}',
        coalesce(sum(requests), 0)::text
    FROM stripe WHERE place > 0
    UNION ALL
    SELECT 'meterflow_stripe_wait_seconds_total', '{}',
        coalesce(sum(waited_seconds), 0)::numeric(20, 3)::text
    FROM stripe
) AS samples
