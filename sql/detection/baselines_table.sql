-- What each weekday of a series looks like, by version. Rows are never changed; they count once Postgres
-- knows the version.
CREATE TABLE IF NOT EXISTS detection_baselines
(
    version UInt64,
    metric_key LowCardinality(String),
    customer_id String,
    -- 0 is Monday.
    weekday UInt8,
    -- It lies too far from what was in force before, which stands beside it and counts until somebody
    -- approves this one.
    is_drifted UInt8,
    days UInt16,
    volume Float64,
    -- The share of the day in each of 24 hours.
    shape Array(Float64)
)
ENGINE = MergeTree
PARTITION BY version
ORDER BY (metric_key, customer_id, weekday, is_drifted)
