-- The terms in force on the first day of the slot ($1), and the zone in force a month later ($2), in
-- which the period ends.
CREATE TEMP TABLE slot_terms ON COMMIT DROP AS
SELECT customers.customer_id, stripe_customer_id, email, active_from, active_until,
    terms.plan, terms.currency, terms.timezone AS zone, next_terms.timezone AS next_zone,
    terms.timezone || '>' || next_terms.timezone AS zones_key,
    terms.collection_method, terms.days_until_due
FROM customers
CROSS JOIN LATERAL (
    SELECT * FROM customer_terms
    WHERE customer_terms.customer_id = customers.customer_id AND effective_from <= $1::date
    ORDER BY effective_from DESC, term_id DESC LIMIT 1
) AS terms
CROSS JOIN LATERAL (
    SELECT timezone FROM customer_terms
    WHERE customer_terms.customer_id = customers.customer_id AND effective_from <= $2::date
    ORDER BY effective_from DESC, term_id DESC LIMIT 1
) AS next_terms
