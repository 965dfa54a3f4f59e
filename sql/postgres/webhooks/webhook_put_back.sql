-- Puts back what of the events $1 (their tokens $2) is neither settled nor put back yet, because of $3: it is
-- due at once, and no attempt is counted.
UPDATE webhook_events AS events SET next_attempt_at = ledger_clock(), note = $3,
    attempts = attempts - 1, token = NULL
FROM unnest($1::text[], $2::bigint[]) AS taken (event_id, token)
WHERE events.event_id = taken.event_id AND events.token = taken.token AND events.state = 'pending'
