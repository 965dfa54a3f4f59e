-- Every row that was accounted for, by hashes alone: id and check of (customer_id, transaction_id),
-- content of what it says. Sorted by id, so that looking up a batch reads integers in order.
CREATE TABLE IF NOT EXISTS {seen:Identifier}
(
    batch UInt64,
    id UInt64 CODEC(Delta, LZ4),
    -- Hashes do not compress.
    check UInt32 CODEC(NONE),
    content UInt64 CODEC(NONE),
    ingested_at DateTime64(3, 'UTC'),
    -- Of the row's own timestamp: UTC days since 1970.
    day Int32,
    is_winner Bool,
    copies UInt32,
    INDEX by_batch batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY id
