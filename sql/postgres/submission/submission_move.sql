-- Under a claim: how far the invoice has come, and the journal's entry of it.
WITH moved AS (
    UPDATE invoices SET status = $3, recovery_point = $4, stripe_invoice_id = $5, draft_epoch = $6,
        standing_hold = $7
    WHERE invoice_id = $1 AND claim_token = $2
    RETURNING *
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
        catalog_version, cutoff_batch, input_hash, detail, actor)
    SELECT invoice_id, $8, status, coalesce(standing_hold, hold_reason), currency, total_minor,
        catalog_version, cutoff_batch, input_hash, $9, claimed_by
    FROM moved
)
SELECT claim_token FROM moved
