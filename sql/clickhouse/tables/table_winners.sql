-- The rows that count: one of each identity, as it was read. Append-only.
CREATE TABLE IF NOT EXISTS {winners:Identifier}
(
    batch UInt64,
    customer_id String,
    transaction_id String,
    event_type LowCardinality(String),
    timestamp DateTime64(3, 'UTC'),
    properties String,
    ingested_at DateTime64(3, 'UTC'),
    INDEX by_batch batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (customer_id, timestamp)
