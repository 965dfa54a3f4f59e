-- Events that were settled more than $1 days ago; at most $2. Dead ones stay until a person has looked.
DELETE FROM webhook_events WHERE event_id IN (
    SELECT event_id FROM webhook_events
    WHERE state IN ('processed', 'ignored', 'foreign')
        AND settled_at < ledger_clock() - $1 * interval '1 day'
    ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED)
