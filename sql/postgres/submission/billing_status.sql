-- How far a month is, or all months ($1 NULL): the view that people read, too.
SELECT slot, mode, status, held, is_dead_letter, currency, invoices, total_minor::bigint AS total_minor
FROM billing_status
WHERE $1::text IS NULL OR slot = $1
