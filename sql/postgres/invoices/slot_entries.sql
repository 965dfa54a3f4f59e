-- Everybody with terms, with usage, or with both; usage counts if it is of the customer's own period.
-- $1: the zones of those without terms; $2: the slot, whose balance is what earlier ones left over.
SELECT customer_id, stripe_customer_id, email, active_from::text, active_until::text, plan, currency,
    zone, next_zone, collection_method, days_until_due, coalesce(events, 0) AS events, usage,
    coalesce(balance_minor, 0) AS balance_minor
FROM slot_terms FULL JOIN (
    SELECT slot_usage.* FROM slot_usage LEFT JOIN slot_terms USING (customer_id)
    WHERE slot_usage.zones_key = coalesce(slot_terms.zones_key, $1)
) AS own_usage USING (customer_id)
LEFT JOIN (
    SELECT customer_id, currency, sum(amount_minor)::bigint AS balance_minor
    FROM balance_entries WHERE slot < $2 GROUP BY customer_id, currency
) AS balances USING (customer_id, currency)
ORDER BY customer_id
