-- What came back. It is a fact, whoever has the claim now.
UPDATE stripe_attempts SET answered_at = ledger_clock(), http_status = $2, stripe_request_id = $3,
    is_replayed = $4, error = $5
WHERE attempt_id = $1 AND answered_at IS NULL
