-- Nobody else analyzes temporary tables.
ANALYZE staged_invoices, staged_lines
