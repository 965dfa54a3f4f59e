-- Why request_prepare had no row. $1 invoice, $2 claim.
SELECT claim_token = $2 AS is_claimed,
    (SELECT paused_by || ' at ' || to_char(paused_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        || ': ' || reason FROM billing_pauses WHERE resumed_at IS NULL) AS pause
FROM invoices WHERE invoice_id = $1
