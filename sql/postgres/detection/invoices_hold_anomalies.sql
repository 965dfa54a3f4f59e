-- Holds the computed invoices of a slot ($1) whose usage is in doubt, before anything is sent of them: a
-- person confirmed an anomaly in their period, or ($2) the excess of an open one in it, at its lines'
-- average price, is worth at least $3 percent of the invoice and $4 minor units. Of a maximum, the largest
-- excess of an hour counts. Once released, an invoice is not held again for what was known then.
WITH doubtful AS (
    SELECT invoices.invoice_id, min(anomalies.anomaly_id) AS anomaly_id
    FROM invoices
    JOIN anomalies ON anomalies.customer_id = invoices.customer_id
        AND anomalies.last_hour >= period_start AND anomalies.first_hour < period_end
        AND anomalies.status NOT IN ('dismissed', 'withdrawn')
    CROSS JOIN LATERAL (
        SELECT CASE WHEN is_maximum THEN max(hourly.excess) ELSE sum(hourly.excess) END AS excess
        FROM unnest(hour_indexes, excesses) AS hourly (hour_index, excess)
        WHERE to_timestamp(hour_index * 3600) >= period_start AND to_timestamp(hour_index * 3600) < period_end
    ) AS by_hour
    -- Of days only the sum is known: the period's share of it, or an hour's.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN hour_indexes IS NOT NULL THEN by_hour.excess
            WHEN is_maximum THEN anomalies.excess / greatest(1, hours)
            ELSE anomalies.excess * extract(epoch FROM
                    least(last_hour + interval '1 hour', period_end) - greatest(first_hour, period_start))
                / extract(epoch FROM last_hour + interval '1 hour' - first_hour) END AS excess
    ) AS within
    LEFT JOIN LATERAL (
        SELECT sum(amount_minor * least(1, greatest(0, within.excess::numeric) / quantity)) AS minor
        FROM invoice_lines
        WHERE invoice_lines.invoice_id = invoices.invoice_id
            AND invoice_lines.metric = anomalies.metric AND quantity > 0
    ) AS worth ON true
    WHERE invoices.slot = $1 AND invoices.status = 'computed' AND invoices.mode IS NULL
        AND hold_reason IS NULL AND standing_hold IS NULL
        AND (claim_expires_at IS NULL OR claim_expires_at < ledger_clock())
        AND (anomalies.is_confirmed
            OR $2::boolean AND worth.minor >= $4::bigint
                AND worth.minor * 100 >= total_minor * $3::integer)
        AND NOT EXISTS (
            SELECT FROM invoice_events
            WHERE invoice_events.invoice_id = invoices.invoice_id AND event = 'released'
                AND recorded_at >= anomalies.found_at)
    GROUP BY invoices.invoice_id
), held AS (
    UPDATE invoices SET standing_hold = 'anomaly' FROM doubtful
    WHERE invoices.invoice_id = doubtful.invoice_id AND standing_hold IS NULL AND mode IS NULL
    RETURNING invoices.*, doubtful.anomaly_id
)
INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
    catalog_version, cutoff_batch, input_hash, detail, actor)
SELECT invoice_id, 'held', status, standing_hold, currency, total_minor, catalog_version,
    cutoff_batch, input_hash, 'anomaly ' || anomaly_id, 'detection'
FROM held
RETURNING invoice_id
