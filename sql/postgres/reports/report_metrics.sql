-- What a month ($1) charges, metric by metric; NULL: fees, minimums, and what earlier months left over. What is
-- void charges nothing, and what is carried is charged by a later invoice.
SELECT metric, currency, count(*) AS lines, sum(quantity)::text AS quantity,
    sum(amount_minor)::bigint AS total_minor
FROM invoice_lines JOIN invoices USING (invoice_id)
WHERE slot = $1 AND status NOT IN ('superseded', 'void', 'carried')
GROUP BY metric, currency ORDER BY currency, sum(amount_minor) DESC, metric
