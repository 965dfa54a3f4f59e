-- Makes an event pending again. Of one whose customer was erased there is nothing left to work on.
UPDATE webhook_events SET state = 'pending', attempts = 0, settled_at = NULL, token = NULL,
    next_attempt_at = ledger_clock()
WHERE event_id = $1 AND payload <> '{"erased":true}'
RETURNING event_id
