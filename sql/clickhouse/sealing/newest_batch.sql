-- The highest batch number that any table knows: one that the ledger does not know is nobody's. And the
-- highest that each of the tables that are read has: fewer than the ledger says means that rows are gone.
-- Only of batches from {first} on, which lie together: nothing else is read, however long the history is.
SELECT greatest(winners, seen, hourly, daily, slices) AS newest, least(winners, seen, daily) AS whole
FROM
(
    SELECT
        (SELECT max(batch) FROM {winners:Identifier} WHERE batch >= {first:UInt64}) AS winners,
        (SELECT max(batch) FROM {seen:Identifier} WHERE batch >= {first:UInt64}) AS seen,
        (SELECT max(batch) FROM {hourly:Identifier} WHERE batch >= {first:UInt64}) AS hourly,
        (SELECT max(batch) FROM {daily:Identifier} WHERE batch >= {first:UInt64}) AS daily,
        (SELECT max(batch) FROM {slices:Identifier} WHERE batch >= {first:UInt64}) AS slices
)
