-- Under a claim, when nothing more is to be sent: what has no answer was looked up instead.
UPDATE stripe_requests SET outcome = 'replaced', answered_at = ledger_clock()
WHERE invoice_id = $1 AND outcome IS NULL
    AND EXISTS (SELECT FROM invoices WHERE invoice_id = $1 AND claim_token = $2)
