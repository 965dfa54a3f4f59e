-- The states of series at a position, in blocks of about a thousand: rows are what costs time. Blocks count
-- once Postgres has recorded their version for that position; of a series that is in several the latest
-- version's holds.
CREATE TABLE IF NOT EXISTS detection_blocks
(
    position Int64,
    version UInt64,
    metric_key LowCardinality(String),
    first_customer String,
    last_customer String,
    -- In order, and in step: whose states these are, and hours since 1970.
    customers Array(String),
    last_active Array(Int32),
    -- One behind the other. Measured floats: compressing them costs more than it saves.
    states String CODEC(NONE)
)
ENGINE = MergeTree
PARTITION BY position
ORDER BY (metric_key, first_customer, version)
-- Partitions live for an hour, or a week: merging large parts of them is work for nothing.
SETTINGS max_bytes_to_merge_at_max_space_in_pool = 10000000
