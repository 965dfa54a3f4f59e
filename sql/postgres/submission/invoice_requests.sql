-- Everything that was sent for an invoice, and what came back, in order.
SELECT step, epoch, idempotency_key, path, outcome, object_id, attempt_id, sent_by, http_status,
    stripe_request_id, is_replayed, error,
    (extract(epoch FROM sent_at) * 1000)::bigint AS sent_ms,
    (extract(epoch FROM stripe_attempts.answered_at) * 1000)::bigint AS answered_ms
FROM stripe_requests JOIN stripe_attempts USING (idempotency_key)
WHERE invoice_id = $1
ORDER BY attempt_id
