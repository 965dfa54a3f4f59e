-- Of a month ($1), by currency: what its invoices come to, and what their lines do.
SELECT currency, count(*) AS invoices, sum(total_minor)::bigint AS total_minor,
    coalesce(sum(lines_minor), 0)::bigint AS lines_minor
FROM invoices LEFT JOIN (
    SELECT invoice_id, sum(amount_minor) AS lines_minor
    FROM invoice_lines JOIN invoices USING (invoice_id) WHERE slot = $1 GROUP BY invoice_id
) AS added USING (invoice_id)
WHERE slot = $1 AND status <> 'superseded'
GROUP BY currency ORDER BY currency
