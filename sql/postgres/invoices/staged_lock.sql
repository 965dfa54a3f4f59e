-- Whose submission has not begun does not begin before this transaction ends.
SELECT 1 FROM invoices JOIN staged_invoices USING (invoice_id)
WHERE invoices.mode IS NULL
ORDER BY invoice_id
FOR UPDATE OF invoices
