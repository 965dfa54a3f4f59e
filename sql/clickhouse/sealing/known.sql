-- What earlier batches know of the ids of this one.
CREATE TABLE {known:Identifier} ENGINE = Memory AS
SELECT id, check, content, ingested_at, day, is_winner, copies
FROM {seen:Identifier}
-- Almost no row passes this: nothing but ids is read of the others.
PREWHERE id IN
(
    SELECT id FROM {stage:Identifier}
    UNION ALL
    SELECT identity FROM {stage:Identifier} WHERE fault != ''
)
WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
