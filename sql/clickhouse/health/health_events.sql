-- Whether the log is there, has the columns that are read, and may be read.
SELECT transaction_id, customer_id, event_type, timestamp, properties, ingested_at
FROM {database:Identifier}.{events:Identifier}
LIMIT 0
