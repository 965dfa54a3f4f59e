-- How many of a batch are not in the log yet, to the last character.
SELECT uniqExact(customer_id, event_type, timestamp, transaction_id, properties) AS added
FROM {incoming:Identifier}
WHERE (customer_id, event_type, timestamp, transaction_id, properties) NOT IN
(
    SELECT customer_id, event_type, timestamp, transaction_id, properties FROM events
    WHERE timestamp >= (SELECT min(timestamp) FROM {incoming:Identifier})
        AND timestamp <= (SELECT max(timestamp) FROM {incoming:Identifier})
        AND customer_id IN (SELECT customer_id FROM {incoming:Identifier})
        AND transaction_id IN (SELECT transaction_id FROM {incoming:Identifier})
)
