-- Invoices of a month ($1) that wait for a person, or were not paid; at most $2, the largest first.
SELECT invoice_id, customer_id, status, currency, total_minor,
    coalesce(dead_letters.reason, standing_hold, hold_reason) AS reason, count(*) OVER () AS all_of_them
FROM invoices
LEFT JOIN dead_letters
    ON dead_letters.kind = 'invoice' AND subject_id = invoice_id AND resolved_at IS NULL
WHERE slot = $1 AND status <> 'superseded'
    AND (coalesce(standing_hold, hold_reason) IS NOT NULL OR dead_letter_id IS NOT NULL
        OR status IN ('payment_failed', 'uncollectible', 'void'))
ORDER BY total_minor DESC, invoice_id LIMIT $2
