-- Which of these invoices of ours ($1) the ledger knows, and under which of Stripe's.
SELECT invoice_id, stripe_invoice_id, status, mode, recovery_point
FROM invoices WHERE invoice_id = ANY ($1::text[])
