-- Nobody else analyzes temporary tables.
ANALYZE staged_invoices (invoice_id, customer_id), staged_lines (invoice_id)
