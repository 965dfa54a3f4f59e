-- The state of each minute of ingestion when it was last read. A minute that needs several batches is
-- read in a round: its state is the sum of the round's rows.
CREATE TABLE IF NOT EXISTS {slices:Identifier}
(
    batch UInt64,
    -- The first batch of the round.
    round UInt64,
    minute Int64,
    rows UInt64,
    checksum UInt64,
    INDEX by_batch batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (minute, batch)
