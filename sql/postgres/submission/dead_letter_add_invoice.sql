-- Under a claim: gives the invoice up. $1 invoice, $2 claim, $3 why.
INSERT INTO dead_letters (kind, subject_id, reason)
SELECT 'invoice', invoice_id, $3 FROM invoices WHERE invoice_id = $1 AND claim_token = $2
ON CONFLICT (kind, subject_id) WHERE resolved_at IS NULL DO NOTHING
