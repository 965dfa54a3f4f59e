-- The requests of an invoice, the newest of each step first; is_fresh: Stripe still knows the key.
SELECT step, epoch, idempotency_key, path, body, outcome, object_id,
    (extract(epoch FROM first_sent_at) * 1000)::bigint AS first_sent_ms,
    first_sent_at > ledger_clock() - interval '23 hours' AS is_fresh
FROM stripe_requests WHERE invoice_id = $1
ORDER BY epoch DESC
