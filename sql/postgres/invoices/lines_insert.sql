INSERT INTO invoice_lines (invoice_id, position, line_id, metric, quantity, amount_minor,
    description, tiers, events)
SELECT lines.*
FROM staged_lines AS lines JOIN staged_invoices AS staged USING (invoice_id)
WHERE staged.outcome IN ('added', 'changed')
-- In the order of the key: the index and the look-up of the invoice go through their pages once.
ORDER BY invoice_id, position
