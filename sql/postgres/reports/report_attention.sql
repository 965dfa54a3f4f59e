-- Invoices of a month ($1) that wait for a person, or were not paid; the largest $2 of each currency, whose
-- amounts say nothing beside another's.
SELECT invoice_id, customer_id, status, currency, total_minor, reason, all_of_them
FROM (
    SELECT invoice_id, customer_id, status, currency, total_minor,
        coalesce(dead_letters.reason, standing_hold, hold_reason) AS reason,
        count(*) OVER () AS all_of_them,
        row_number() OVER (PARTITION BY currency ORDER BY total_minor DESC, invoice_id) AS place
    FROM invoices
    LEFT JOIN dead_letters
        ON dead_letters.kind = 'invoice' AND subject_id = invoice_id AND resolved_at IS NULL
    WHERE slot = $1 AND status <> 'superseded'
        AND (coalesce(standing_hold, hold_reason) IS NOT NULL OR dead_letter_id IS NOT NULL
            OR status IN ('payment_failed', 'uncollectible', 'void'))
) AS waiting
WHERE place <= $2
ORDER BY currency, place
