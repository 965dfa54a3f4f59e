-- Usage by UTC day: what a batch adds. Counts and sums of batches are added up, of maxima the largest holds.
CREATE TABLE IF NOT EXISTS {daily:Identifier}
(
    batch UInt64,
    rollup_key LowCardinality(String),
    customer_id String,
    day DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    events UInt64,
    -- Rows whose quantity cannot be read exactly; it is not in quantity.
    unparsable UInt64,
    -- NULL if there is none, as of a count, or of unparsable rows alone. What one batch adds fits 38 digits;
    -- batches are added up with 76.
    quantity Nullable(Decimal(38, 9)),
    INDEX by_batch batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (rollup_key, day, customer_id)
