SELECT claimed_by, greatest(1, ceil(extract(epoch FROM claim_expires_at - ledger_clock())))::bigint
    AS seconds
FROM invoices WHERE invoice_id = $1 AND claim_expires_at > ledger_clock()
