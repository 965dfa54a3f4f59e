-- Adds terms unless those in force on that day say the same.
INSERT INTO customer_terms
    (customer_id, effective_from, plan, currency, timezone, collection_method, days_until_due)
SELECT $1, $2::date, $3, $4, $5, $6, $7::integer
WHERE NOT EXISTS (
    SELECT 1
    FROM (
        SELECT * FROM customer_terms
        WHERE customer_id = $1 AND effective_from <= $2::date
        ORDER BY effective_from DESC, term_id DESC LIMIT 1
    ) AS in_force
    WHERE (plan, currency, timezone, collection_method, days_until_due)
        IS NOT DISTINCT FROM ($3, $4, $5, $6, $7::integer)
)
