-- The rows of a batch that cannot be billed as they are: without an id nobody can say that two of them
-- are one, so each copy counts. What is no text is written in hexadecimal.
SELECT
    hex(cityHash64(id, ingested_at)) || hex(id) AS quarantine_id,
    if(isValidUTF8(customer_id) AND position(customer_id, '\0') = 0, customer_id, concat('\\x', hex(customer_id))) AS customer_id,
    if(isValidUTF8(transaction_id) AND position(transaction_id, '\0') = 0, transaction_id, concat('\\x', hex(transaction_id))) AS transaction_id,
    if(isValidUTF8(event_type) AND position(event_type, '\0') = 0, event_type, concat('\\x', hex(event_type))) AS event_type,
    if(isValidUTF8(properties) AND position(properties, '\0') = 0, properties, concat('\\x', hex(properties))) AS properties,
    toString(toUnixTimestamp64Milli(timestamp)) AS timestamp_ms,
    toString(toUnixTimestamp64Milli(ingested_at)) AS ingested_ms,
    fault AS reasons,
    copies
FROM
(
    SELECT *, toUInt64(1) AS copies FROM {stage:Identifier}
    WHERE fault != '' AND id NOT IN (SELECT id FROM {contested:Identifier})
    UNION ALL
    SELECT stage.*, fresh AS copies
    FROM (SELECT * FROM {disputed:Identifier} WHERE fault != '' LIMIT 1 BY id, check, content, ingested_at) AS stage
    INNER JOIN (SELECT id, check, content, ingested_at, fresh FROM {contested:Identifier} WHERE is_faulty AND fresh > 0) AS contested
        USING (id, check, content, ingested_at)
)
ORDER BY timestamp, quarantine_id
