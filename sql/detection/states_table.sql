-- The state of every series at a position. Rows count once Postgres has recorded their version for that
-- position; of several versions the latest holds.
CREATE TABLE IF NOT EXISTS detection_states
(
    position Int64,
    version UInt64,
    metric_key LowCardinality(String),
    customer_id String,
    -- Hours since 1970.
    last_active Int32,
    -- Measured floats: compressing them costs more than it saves.
    state String CODEC(NONE)
)
ENGINE = MergeTree
PARTITION BY position
ORDER BY (metric_key, customer_id, version)
