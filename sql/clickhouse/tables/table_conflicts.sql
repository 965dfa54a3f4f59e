-- Rows with the identity of one that counts, but another content: not billed, for a person to judge.
CREATE TABLE IF NOT EXISTS {conflicts:Identifier}
(
    batch UInt64,
    customer_id String,
    transaction_id String,
    event_type String,
    timestamp DateTime64(3, 'UTC'),
    properties String,
    ingested_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (customer_id, transaction_id)
