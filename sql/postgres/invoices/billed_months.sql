-- Months within $1 to $2 of which anything was given to Stripe, or that were billed to the end (is_done).
SELECT slot, bool_or(is_done) AS is_done
FROM (
    SELECT slot COLLATE "C" AS slot, false AS is_done FROM invoices
    WHERE mode IS NOT NULL AND status <> 'superseded' AND slot BETWEEN $1 AND $2
    UNION ALL
    SELECT slot, true FROM job_slots
    WHERE job = 'bill' AND status = 'succeeded' AND slot BETWEEN $1 AND $2
) AS months
GROUP BY slot ORDER BY slot
