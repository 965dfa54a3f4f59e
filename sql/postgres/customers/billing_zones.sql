-- The zones in which the periods of a month start ($1: its first day) and end ($2: the next one's).
SELECT DISTINCT terms.timezone AS zone, next_terms.timezone AS next_zone
FROM customers
CROSS JOIN LATERAL (
    SELECT timezone FROM customer_terms
    WHERE customer_terms.customer_id = customers.customer_id AND effective_from <= $1::date
    ORDER BY effective_from DESC, term_id DESC LIMIT 1
) AS terms
CROSS JOIN LATERAL (
    SELECT timezone FROM customer_terms
    WHERE customer_terms.customer_id = customers.customer_id AND effective_from <= $2::date
    ORDER BY effective_from DESC, term_id DESC LIMIT 1
) AS next_terms
