-- Under a claim ($2 of invoice $1, which the transaction holds): how a request ended.
UPDATE stripe_requests SET outcome = $4, object_id = $5, answered_at = ledger_clock()
WHERE idempotency_key = $3 AND outcome IS NULL
    AND EXISTS (SELECT FROM invoices WHERE invoice_id = $1 AND claim_token = $2)
