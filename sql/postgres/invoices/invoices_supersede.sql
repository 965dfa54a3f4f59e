-- Sets aside what was computed earlier and is not right any more: invoices of this slot ($1) that did
-- not come out again (of all customers, or of $2), and unsent ones of other slots whose period
-- overlaps a new one, because the customer's zone changed.
WITH superseded AS (
    UPDATE invoices AS known SET status = 'superseded', computed_at = now()
    WHERE mode IS NULL AND status <> 'superseded'
        AND NOT EXISTS (
            SELECT 1 FROM staged_invoices AS staged WHERE staged.invoice_id = known.invoice_id)
        AND (
            known.slot = $1 AND ($2::text[] IS NULL OR known.customer_id = ANY ($2::text[]))
            OR EXISTS (
                SELECT 1 FROM staged_invoices AS staged
                WHERE staged.customer_id = known.customer_id
                    AND staged.period_start < known.period_end
                    AND staged.period_end > known.period_start))
    RETURNING *
)
INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
    catalog_version, cutoff_batch, input_hash)
SELECT invoice_id, 'superseded', status, hold_reason, currency, total_minor, catalog_version,
    cutoff_batch, input_hash
FROM superseded
