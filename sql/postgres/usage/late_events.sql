-- Events of months that were billed before these batches were sealed. Both are counted by UTC months: at a
-- month's borders, those of customers in other zones count for the neighbour.
SELECT month.month AS slot, sum(month.events)::bigint AS events
FROM usage_batches
CROSS JOIN LATERAL jsonb_to_recordset(months) AS month (month text, events bigint)
WHERE batch = ANY ($1::bigint[]) AND NOT is_rebuild AND month.events > 0
    AND batch > billed_through(month.month)
GROUP BY month.month ORDER BY month.month
