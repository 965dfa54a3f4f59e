-- The same of those who have usage in some hours.
SELECT customer_id
FROM (
    SELECT customer_id, rowNumberInAllBlocks() AS number
    FROM (
        SELECT DISTINCT customer_id FROM {hourly:Identifier}
        WHERE rollup_key = {rollup_key:String}
            AND hour >= fromUnixTimestamp64Milli({first:Int64} * 3600000, 'UTC')
            AND hour < fromUnixTimestamp64Milli({end:Int64} * 3600000, 'UTC')
            AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
            AND /* dirty */ true
        ORDER BY customer_id
    )
)
WHERE number > 0 AND number % {size:UInt64} = 0
ORDER BY customer_id
