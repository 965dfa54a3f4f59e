-- What is still to be sent, in order of customer: $1 slot, or NULL: those of any slot that were begun, or
-- approved;
-- $2 customers, NULL: all; after ($3, $4, $5), the last one's slot, customer and id.
SELECT slot, customer_id, invoice_id
FROM invoices
WHERE (status = 'computed' OR status IN ('submitting', 'open', 'payment_failed')
        AND recovery_point IS DISTINCT FROM 'collected')
    AND CASE WHEN $1::text IS NULL THEN mode IS NOT NULL OR kind = 'supplementary' ELSE slot = $1::text END
    AND ($2::text[] IS NULL OR customer_id = ANY ($2::text[]))
    AND hold_reason IS NULL AND standing_hold IS NULL
    AND NOT EXISTS (
        SELECT FROM dead_letters
        WHERE dead_letters.kind = 'invoice' AND subject_id = invoice_id AND resolved_at IS NULL)
    AND (slot, customer_id, invoice_id) > ($3::text, $4::text COLLATE "C", $5::text COLLATE "C")
ORDER BY slot, customer_id, invoice_id
LIMIT 500
