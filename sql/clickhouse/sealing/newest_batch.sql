-- The highest batch number that any table knows: one that the ledger does not know is nobody's. And the
-- highest that each of the tables that are read has: fewer than the ledger says means that rows are gone.
SELECT greatest(winners, seen, hourly, daily, slices) AS newest, least(winners, seen, daily) AS whole
FROM
(
    SELECT
        (SELECT max(batch) FROM {winners:Identifier}) AS winners,
        (SELECT max(batch) FROM {seen:Identifier}) AS seen,
        (SELECT max(batch) FROM {hourly:Identifier}) AS hourly,
        (SELECT max(batch) FROM {daily:Identifier}) AS daily,
        (SELECT max(batch) FROM {slices:Identifier}) AS slices
)
