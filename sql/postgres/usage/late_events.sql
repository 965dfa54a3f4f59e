-- Events of months that were billed before these batches were sealed.
SELECT billed.slot, sum(month.events)::bigint AS events
FROM usage_batches
CROSS JOIN LATERAL jsonb_to_recordset(months) AS month (month text, events bigint)
JOIN (
    SELECT slot, max(cutoff_batch) AS cutoff FROM invoices
    WHERE cutoff_batch IS NOT NULL AND status <> 'superseded' GROUP BY slot
) AS billed ON billed.slot = month.month AND billed.cutoff < usage_batches.batch
WHERE usage_batches.batch = ANY ($1::bigint[]) AND month.events > 0
GROUP BY billed.slot ORDER BY billed.slot
