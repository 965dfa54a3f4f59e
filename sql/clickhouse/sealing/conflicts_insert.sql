INSERT INTO {conflicts:Identifier} (batch, customer_id, transaction_id, event_type, timestamp, properties, ingested_at)
SELECT {batch:UInt64}, customer_id, transaction_id, event_type, timestamp, properties, ingested_at
FROM {disputed:Identifier}
WHERE (id, check, content, ingested_at) IN
    (SELECT id, check, content, ingested_at FROM {contested:Identifier} WHERE is_conflict)
LIMIT 1 BY id, check, content
