-- Under a claim: how far an invoice has come. $1 invoice, $2 claim.
SELECT status, mode, recovery_point, draft_epoch, stripe_invoice_id, standing_hold
FROM invoices WHERE invoice_id = $1 AND claim_token = $2
