-- What was charged, month by month, in the twelve months up to one ($1): all but what is void, carried, or
-- comes to nothing.
SELECT slot, currency, count(*) AS invoices, sum(total_minor)::bigint AS total_minor
FROM invoices
WHERE slot <= $1 AND slot > to_char(($1 || '-01')::date - interval '12 months', 'YYYY-MM')
    AND status IN ('computed', 'submitting', 'open', 'payment_failed', 'paid', 'uncollectible')
GROUP BY slot, currency ORDER BY slot, currency
