-- What earlier batches know of the ids of this one.
CREATE TABLE {known:Identifier} ENGINE = Memory AS
SELECT id, check, content, ingested_at, day, is_winner, copies
FROM {seen:Identifier}
WHERE id IN (SELECT id FROM {stage:Identifier})
    AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
