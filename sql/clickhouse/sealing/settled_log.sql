-- Those that are still in the log: a log of its own, for one batch.
CREATE TABLE {settled:Identifier} ENGINE = Memory AS
SELECT transaction_id, customer_id, event_type, timestamp, properties, ingested_at
FROM {database:Identifier}.{events:Identifier}
WHERE ingested_at >= fromUnixTimestamp64Milli({first_minute:Int64} * 60000, 'UTC')
    AND ingested_at < fromUnixTimestamp64Milli({end_minute:Int64} * 60000, 'UTC')
    AND (cityHash64(customer_id, transaction_id), toUInt32(xxHash64(customer_id, transaction_id) % 4294967296),
        cityHash64(event_type, toUnixTimestamp64Milli(timestamp), properties), ingested_at)
        -- The shards of a Distributed log do not have our tables.
        GLOBAL IN /* settled */
