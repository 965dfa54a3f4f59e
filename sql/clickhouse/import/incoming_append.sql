-- Appends what the log does not have yet. A row with a known identity but another content is
-- appended: it is a conflict, which billing counts and lists.
INSERT INTO events (transaction_id, customer_id, event_type, timestamp, properties, ingested_at)
SELECT transaction_id, customer_id, event_type, timestamp, properties, ingested_at
FROM {incoming:Identifier}
WHERE (customer_id, event_type, timestamp, transaction_id, properties) NOT IN
(
    SELECT customer_id, event_type, timestamp, transaction_id, properties FROM events
    WHERE timestamp >= (SELECT min(timestamp) FROM {incoming:Identifier})
        AND timestamp <= (SELECT max(timestamp) FROM {incoming:Identifier})
        AND customer_id IN (SELECT customer_id FROM {incoming:Identifier})
        AND transaction_id IN (SELECT transaction_id FROM {incoming:Identifier})
)
LIMIT 1 BY customer_id, event_type, timestamp, transaction_id, properties
