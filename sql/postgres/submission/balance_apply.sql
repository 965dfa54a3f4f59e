INSERT INTO balance_entries (customer_id, currency, slot, invoice_id, kind, amount_minor)
SELECT customer_id, currency, slot, invoice_id, 'applied', -carried_minor
FROM invoices WHERE invoice_id = $1 AND carried_minor > 0
