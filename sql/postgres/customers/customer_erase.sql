-- Forgets who a customer ($1) is, by $2 because of $3: the e-mail; what Stripe's events say that are about the
-- customer's invoices, or name one of the customer's ids there; and the links in alerts to pages that show it.
WITH customer AS (
    UPDATE customers SET email = NULL, erased_at = ledger_clock(), erased_by = $2,
        erasure_reason = $3
    WHERE customer_id = $1 RETURNING customer_id
), own AS (
    SELECT '"' || stripe_customer_id || '"' AS quoted FROM customers
    WHERE customer_id = $1 AND stripe_customer_id <> ''
    UNION
    SELECT '"' || stripe_customer_id || '"' FROM invoices
    WHERE customer_id = $1 AND stripe_customer_id <> ''
), found AS (
    -- What waits for its turn, or for a person, is worked on by what it says.
    SELECT event_id, state = 'pending' OR state = 'dead' AND EXISTS (
        SELECT FROM dead_letters
        WHERE kind = 'webhook' AND subject_id = event_id AND resolved_at IS NULL) AS is_waiting
    FROM webhook_events
    WHERE payload <> '{"erased":true}'
        AND (invoice_id IN (SELECT invoice_id FROM invoices WHERE customer_id = $1)
            OR EXISTS (SELECT FROM own WHERE strpos(payload, quoted) > 0))
), event AS (
    UPDATE webhook_events SET payload = '{"erased":true}'
    FROM found WHERE webhook_events.event_id = found.event_id AND NOT is_waiting
    RETURNING webhook_events.event_id
), alert AS (
    UPDATE alerts SET body = jsonb_set(body, '{next}', to_jsonb(
        regexp_replace(body ->> 'next', 'https?://\S+', 'Stripe''s page of the invoice', 'g')))
    WHERE customer_id = $1 AND body ->> 'next' ~ 'https?://'
), delivery AS (
    UPDATE alert_deliveries SET body = jsonb_set(alert_deliveries.body, '{next}', to_jsonb(
        regexp_replace(
            alert_deliveries.body ->> 'next', 'https?://\S+', 'Stripe''s page of the invoice', 'g')))
    FROM alerts
    WHERE alerts.alert_id = alert_deliveries.alert_id AND customer_id = $1
        AND alert_deliveries.body ->> 'next' ~ 'https?://'
)
SELECT (SELECT count(*) FROM event) AS events,
    (SELECT count(*) FROM found WHERE is_waiting) AS waiting
FROM customer
