INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
    catalog_version, cutoff_batch, input_hash)
SELECT invoice_id, 'computed', status, hold_reason, currency, total_minor, catalog_version,
    cutoff_batch, input_hash
FROM staged_invoices
WHERE outcome IN ('added', 'changed')
ORDER BY invoice_id
