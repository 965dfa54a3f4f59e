-- What became of a batch's rows, by the UTC day of the row that counts.
CREATE TABLE IF NOT EXISTS {figures:Identifier}
(
    batch UInt64,
    day DateTime64(3, 'UTC'),
    events UInt64,
    duplicates UInt64,
    conflicts UInt64
)
ENGINE = MergeTree
ORDER BY (day, batch)
