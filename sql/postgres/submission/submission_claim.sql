-- Claims an invoice that nobody works on. $1 invoice, $2 who, $3 for how many seconds.
UPDATE invoices SET claim_token = nextval('claim_tokens'), claimed_by = $2,
    claim_expires_at = ledger_clock() + $3::float8 * interval '1 second'
WHERE invoice_id = $1 AND (claim_expires_at IS NULL OR claim_expires_at <= ledger_clock())
RETURNING claim_token, customer_id, slot, currency, mode
