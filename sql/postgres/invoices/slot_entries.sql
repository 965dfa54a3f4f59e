-- Everybody with terms, with usage, or with both; usage counts if it is of the customer's own period.
-- $1: the zones of those without terms.
SELECT customer_id, stripe_customer_id, email, active_from::text, active_until::text, plan, currency,
    zone, next_zone, collection_method, days_until_due, coalesce(events, 0) AS events, usage
FROM slot_terms FULL JOIN (
    SELECT slot_usage.* FROM slot_usage LEFT JOIN slot_terms USING (customer_id)
    WHERE slot_usage.zones_key = coalesce(slot_terms.zones_key, $1)
) AS own_usage USING (customer_id)
ORDER BY customer_id
