UPDATE invoices SET claim_expires_at = NULL WHERE invoice_id = $1 AND claim_token = $2
