-- Events of a slot ($1) that were sealed after it was last billed, up to a batch ($3).
SELECT coalesce(sum(month.events), 0)::bigint AS events
FROM usage_batches
CROSS JOIN LATERAL jsonb_to_recordset(months) AS month (month text, events bigint)
WHERE month.month = $1 AND generation = $2 AND batch <= $3
    AND batch > (SELECT max(cutoff_batch) FROM invoices WHERE slot = $1)
