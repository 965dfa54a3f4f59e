-- What became of the rows of some UTC days.
SELECT sum(events) AS events, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts
FROM {figures:Identifier}
WHERE day >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND day < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
