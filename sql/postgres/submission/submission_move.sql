-- Under a claim: how far the invoice has come, and the journal's entry of it. A status to which one of
-- Stripe's events has moved it meanwhile stays, if it is a later one.
WITH moved AS (
    UPDATE invoices SET
        status = CASE
            WHEN status IN ('payment_failed', 'paid', 'void', 'uncollectible')
                AND ($3 IN ('submitting', 'open') OR NOT EXISTS (
                    SELECT FROM invoice_moves WHERE from_status = status AND to_status = $3))
            THEN status ELSE $3 END,
        recovery_point = $4, stripe_invoice_id = $5, draft_epoch = $6, standing_hold = $7
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
