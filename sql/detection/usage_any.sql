-- Whether anybody used anything in some hours, of what came after a batch.
SELECT 1 AS present
FROM {hourly:Identifier}
WHERE has({rollup_keys:Array(String)}, rollup_key)
    AND hour >= fromUnixTimestamp64Milli({first:Int64} * 3600000, 'UTC')
    AND hour < fromUnixTimestamp64Milli({end:Int64} * 3600000, 'UTC')
    AND batch > {after:UInt64} AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
LIMIT 1
