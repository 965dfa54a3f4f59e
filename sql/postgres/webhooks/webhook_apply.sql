-- Under a claim ($2 of invoice $1): what Stripe's event $3 (token $4) leads to, with the journal's entry.
-- No row: the claim or the event is somebody else's now, and nothing may be committed.
WITH settled AS (
    UPDATE webhook_events SET state = 'processed', settled_at = ledger_clock(), invoice_id = $1,
        note = NULL
    WHERE event_id = $3 AND token = $4 AND state = 'pending'
    RETURNING event_id
), before AS (
    SELECT invoice_id, status, is_overdue, dispute_status, refunded_minor, credited_minor
    FROM invoices WHERE invoice_id = $1
), moved AS (
    UPDATE invoices SET status = $5, is_overdue = $6, dispute_status = $7, refunded_minor = $8,
        credited_minor = $9,
        -- Where it ended, nothing more is to be sent.
        recovery_point = CASE WHEN $5 IN ('paid', 'void', 'uncollectible')
            AND recovery_point IS NOT NULL THEN 'collected' ELSE recovery_point END
    FROM settled
    WHERE invoice_id = $1 AND claim_token = $2
    RETURNING invoices.*
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
        catalog_version, cutoff_batch, input_hash, detail, actor, stripe_event_id)
    SELECT invoice_id, $10, moved.status, coalesce(standing_hold, hold_reason), currency, total_minor,
        catalog_version, cutoff_batch, input_hash, $11, claimed_by, $3
    FROM moved JOIN before USING (invoice_id)
    -- An event that is replayed is told once, unless it changes something.
    WHERE ROW(moved.status, moved.is_overdue, moved.dispute_status, moved.refunded_minor,
            moved.credited_minor)
        IS DISTINCT FROM ROW(before.status, before.is_overdue, before.dispute_status,
            before.refunded_minor, before.credited_minor)
        OR NOT EXISTS (
            SELECT FROM invoice_events
            WHERE invoice_events.invoice_id = $1 AND stripe_event_id = $3)
)
SELECT invoice_id FROM moved
