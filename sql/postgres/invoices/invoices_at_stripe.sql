-- Invoices of a slot ($1) that should be at Stripe, finished.
SELECT invoice_id, stripe_invoice_id FROM invoices
WHERE slot = $1 AND stripe_invoice_id IS NOT NULL AND status NOT IN ('superseded', 'submitting')
ORDER BY invoice_id
