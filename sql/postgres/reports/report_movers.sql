-- Customers who are charged more or less in one month ($1) than in the one before ($2), those who moved most
-- first: at most $3 of each currency, and how many there are.
WITH charged AS (
    SELECT customer_id, currency,
        coalesce(sum(total_minor) FILTER (WHERE slot = $2), 0)::bigint AS before_minor,
        coalesce(sum(total_minor) FILTER (WHERE slot = $1), 0)::bigint AS total_minor
    FROM invoices
    WHERE slot IN ($1, $2) AND status NOT IN ('superseded', 'void', 'carried')
    GROUP BY customer_id, currency
)
SELECT customer_id, currency, before_minor, total_minor, all_of_them
FROM (
    SELECT charged.*, count(*) OVER (PARTITION BY currency) AS all_of_them,
        row_number() OVER (
            PARTITION BY currency ORDER BY abs(total_minor - before_minor) DESC, customer_id) AS place
    FROM charged WHERE total_minor <> before_minor
) AS moved
WHERE place <= $3
ORDER BY currency, place
