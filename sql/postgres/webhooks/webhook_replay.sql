-- Makes an event pending again.
UPDATE webhook_events SET state = 'pending', attempts = 0, settled_at = NULL, token = NULL,
    next_attempt_at = ledger_clock()
WHERE event_id = $1
RETURNING event_id
