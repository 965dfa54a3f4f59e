-- Before a request goes out: extends the claim ($2) by $3 seconds, and stores the request if it is new.
-- No row: the claim was lost, billing is paused, the key is too old, or it has another content. The key of a
-- credit note is never too old: a second note under another key could not be taken back.
WITH claim AS (
    UPDATE invoices SET claim_expires_at = ledger_clock() + $3::float8 * interval '1 second'
    WHERE invoice_id = $1 AND claim_token = $2
        AND NOT EXISTS (SELECT FROM billing_pauses WHERE resumed_at IS NULL)
    RETURNING invoice_id, claim_token, claimed_by
), request AS (
    INSERT INTO stripe_requests AS known
        (idempotency_key, invoice_id, step, epoch, path, body, body_sha256, first_sent_at)
    SELECT $4, invoice_id, $5, $6, $7, $8, encode(sha256(convert_to($8, 'UTF8')), 'hex'),
        ledger_clock()
    FROM claim
    ON CONFLICT (idempotency_key) DO UPDATE SET first_sent_at = known.first_sent_at
        WHERE known.outcome IS NULL AND known.body = excluded.body AND known.path = excluded.path
            AND ($5 = 'credit_note' OR known.first_sent_at > ledger_clock() - interval '23 hours')
    RETURNING idempotency_key
)
INSERT INTO stripe_attempts (idempotency_key, claim_token, sent_by, sent_at, waited_ms)
SELECT idempotency_key, claim_token, claimed_by, ledger_clock(), $9 FROM request CROSS JOIN claim
RETURNING attempt_id
