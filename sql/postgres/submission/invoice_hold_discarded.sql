-- A person gave the invoice up for good. $1 invoice, $2 why, $3 who.
WITH held AS (
    UPDATE invoices SET standing_hold = 'discarded' WHERE invoice_id = $1 RETURNING *
)
INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
    catalog_version, cutoff_batch, input_hash, detail, actor)
SELECT invoice_id, 'discarded', status, standing_hold, currency, total_minor, catalog_version,
    cutoff_batch, input_hash, $2, $3
FROM held
