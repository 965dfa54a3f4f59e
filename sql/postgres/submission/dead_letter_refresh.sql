-- A dead letter is tried again: as long as nothing of the invoice is at Stripe, for the customer that
-- the ledger names now. $1 invoices, $2 who.
WITH refreshed AS (
    UPDATE invoices SET stripe_customer_id =
        coalesce(customers.stripe_customer_id, invoices.stripe_customer_id)
    FROM customers
    WHERE customers.customer_id = invoices.customer_id AND invoice_id = ANY ($1::text[])
        AND stripe_invoice_id IS NULL
        AND NOT EXISTS (
            SELECT FROM stripe_requests AS requests
            WHERE requests.invoice_id = invoices.invoice_id AND step = 'create'
                AND outcome IS DISTINCT FROM 'refused')
)
INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
    catalog_version, cutoff_batch, input_hash, actor)
SELECT invoice_id, 'dead_letter_retried', status, coalesce(standing_hold, hold_reason), currency,
    total_minor, catalog_version, cutoff_batch, input_hash, $2
FROM invoices WHERE invoice_id = ANY ($1::text[])
