-- Forgets who a customer ($1) is, by $2 because of $3: the e-mail, and what Stripe's settled events say.
WITH customer AS (
    UPDATE customers SET email = NULL, erased_at = ledger_clock(), erased_by = $2,
        erasure_reason = $3
    WHERE customer_id = $1 RETURNING customer_id
), event AS (
    UPDATE webhook_events SET payload = '{"erased":true}'
    WHERE state IN ('processed', 'ignored') AND payload <> '{"erased":true}'
        AND invoice_id IN (SELECT invoice_id FROM invoices WHERE customer_id = $1)
    RETURNING event_id
)
SELECT (SELECT count(*) FROM event) AS events,
    (SELECT count(*) FROM webhook_events JOIN invoices USING (invoice_id)
        WHERE invoices.customer_id = $1 AND state IN ('pending', 'dead')) AS waiting
FROM customer
