-- The log of usage events, as the metering pipeline writes it. If it is there already it is left as it
-- is: it may be theirs, and only the importer of ours appends to it.
CREATE TABLE IF NOT EXISTS events
(
    transaction_id String,
    customer_id String,
    event_type String,
    timestamp DateTime64(3, 'UTC'),
    properties String,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (customer_id, event_type, timestamp)
