-- Which invoice of ours an event is about, and whose it is: by Stripe's id ($1), else by ours ($2).
SELECT invoice_id, customer_id FROM invoices WHERE stripe_invoice_id = $1 OR invoice_id = $2
ORDER BY stripe_invoice_id = $1 DESC NULLS LAST LIMIT 1
