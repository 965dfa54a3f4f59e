INSERT INTO {winners:Identifier} (batch, customer_id, transaction_id, event_type, timestamp, properties, ingested_at)
SELECT batch, customer_id, transaction_id, event_type, timestamp, properties, ingested_at
FROM /* winners */
