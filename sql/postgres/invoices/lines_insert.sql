INSERT INTO invoice_lines (invoice_id, position, line_id, metric, quantity, amount_minor,
    description, tiers)
SELECT lines.*
FROM staged_lines AS lines JOIN staged_invoices AS staged USING (invoice_id)
WHERE staged.outcome IN ('added', 'changed')
