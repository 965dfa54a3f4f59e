-- Ends an open proposal. $1 which, $2 withdrawn, approved or rejected, $3 who, $4 why, $5 the invoice that it becomes.
WITH decided AS (
    UPDATE proposals SET status = $2, decided_at = now(), decided_by = $3, reason = $4, supplementary_id = $5
    WHERE proposal_id = $1 AND status = 'open'
    RETURNING *
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor, catalog_version,
        cutoff_batch, input_hash, detail, actor)
    SELECT invoice_id, 'correction_' || decided.status, invoices.status, coalesce(standing_hold, hold_reason),
        invoices.currency, total_minor, catalog_version, invoices.cutoff_batch, invoices.input_hash,
        'proposal ' || proposal_id || ': ' || reason, decided_by
    FROM decided JOIN invoices USING (invoice_id)
)
SELECT proposal_id FROM decided
