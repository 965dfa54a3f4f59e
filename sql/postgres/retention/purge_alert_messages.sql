-- Messages that were sent, or given up for good, more than $1 days ago, and whose alerts are gone; at most $2.
DELETE FROM alert_messages WHERE message_id IN (
    SELECT message_id FROM alert_messages AS old
    WHERE state IN ('delivered', 'discarded') AND settled_at < ledger_clock() - $1 * interval '1 day'
        AND NOT EXISTS (SELECT FROM alert_deliveries WHERE alert_deliveries.message_id = old.message_id)
    ORDER BY message_id LIMIT $2)
