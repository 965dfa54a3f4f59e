-- The day after the last month that an invoice was sent for: of one customer, or of all (NULL).
SELECT ((max(slot) || '-01')::date + interval '1 month')::date::text AS billed_until
FROM invoices
WHERE mode IS NOT NULL AND ($1::text IS NULL OR customer_id = $1::text)
