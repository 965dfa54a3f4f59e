-- Under a claim ($2) of invoice $1: Stripe has made the credit note ($4) of a proposal ($3).
WITH made AS (
    UPDATE proposals SET stripe_credit_note_id = $4
    FROM invoices
    WHERE invoices.invoice_id = $1 AND claim_token = $2 AND proposals.invoice_id = $1 AND proposal_id = $3
        AND stripe_credit_note_id IS NULL
    RETURNING invoices.*, proposal_id, stripe_credit_note_id
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor, catalog_version,
        cutoff_batch, input_hash, detail, actor)
    SELECT invoice_id, 'credit_note_made', status, coalesce(standing_hold, hold_reason), currency, total_minor,
        catalog_version, cutoff_batch, input_hash,
        'proposal ' || proposal_id || ': ' || stripe_credit_note_id, claimed_by
    FROM made
)
SELECT proposal_id FROM made
