-- A month's invoices ($1) in order of customers, from ($3, after $4) on, at most $5. $2: of this status, or
-- 'held'; NULL: any.
SELECT invoice_id, customer_id, status, coalesce(standing_hold, hold_reason) AS held, currency,
    total_minor
FROM invoices
WHERE slot = $1 AND (customer_id, invoice_id) > ($3::text, $4::text)
    AND CASE WHEN $2::text IS NULL THEN status <> 'superseded'
        WHEN $2 = 'held' THEN coalesce(standing_hold, hold_reason) IS NOT NULL
            AND status <> 'superseded'
        ELSE status = $2 END
ORDER BY customer_id, invoice_id LIMIT $5
