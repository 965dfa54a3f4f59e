-- Customers whose total moved most from one month ($2) to the next ($1), at most $3.
WITH present AS (
    SELECT customer_id, currency, sum(total_minor) AS total FROM invoices
    WHERE slot = $1 AND status NOT IN ('superseded', 'void') GROUP BY 1, 2
), before AS (
    SELECT customer_id, currency, sum(total_minor) AS total FROM invoices
    WHERE slot = $2 AND status NOT IN ('superseded', 'void') GROUP BY 1, 2
)
SELECT customer_id, currency, coalesce(before.total, 0)::bigint AS before_minor,
    coalesce(present.total, 0)::bigint AS total_minor
FROM present FULL JOIN before USING (customer_id, currency)
WHERE coalesce(present.total, 0) <> coalesce(before.total, 0)
ORDER BY abs(coalesce(present.total, 0) - coalesce(before.total, 0)) DESC, customer_id LIMIT $3
