-- Events of a slot ($1) that were sealed after it was last billed, up to a batch ($2); by its UTC month.
SELECT coalesce(sum(month.events), 0)::bigint AS events
FROM usage_batches
CROSS JOIN LATERAL jsonb_to_recordset(months) AS month (month text, events bigint)
WHERE month.month = $1 AND NOT is_rebuild AND batch <= $2 AND batch > billed_through($1)
