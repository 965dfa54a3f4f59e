-- The highest batch number that any table knows: one that the ledger does not know is nobody's.
SELECT greatest(
    (SELECT max(batch) FROM {winners:Identifier}), (SELECT max(batch) FROM {seen:Identifier}),
    (SELECT max(batch) FROM {hourly:Identifier}), (SELECT max(batch) FROM {daily:Identifier}),
    (SELECT max(batch) FROM {slices:Identifier})) AS batch
