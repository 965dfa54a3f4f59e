-- How a slot stands at Stripe.
SELECT count(*) FILTER (WHERE status = 'computed' AND hold_reason IS NULL
        AND standing_hold IS NULL) AS computed,
    count(*) FILTER (WHERE recovery_point = 'collected') AS collected,
    count(*) FILTER (WHERE mode IS NOT NULL AND status IN ('submitting', 'open', 'payment_failed')
        AND recovery_point IS DISTINCT FROM 'collected') AS unfinished,
    count(*) FILTER (WHERE standing_hold IS NOT NULL) AS held,
    count(*) FILTER (WHERE status = 'carried' AND mode IS NULL AND hold_reason IS NULL
        AND standing_hold IS NULL) AS unsettled,
    (SELECT count(*) FROM dead_letters JOIN invoices AS dead ON dead.invoice_id = subject_id
        WHERE dead_letters.kind = 'invoice' AND resolved_at IS NULL AND dead.slot = $1)
        AS dead_letters
FROM invoices WHERE slot = $1
