-- What customers used of a metric in some hours, in order of customer and hour.
SELECT customer_id,
    arraySort(groupArray((toInt32(intDiv(toUnixTimestamp64Milli(hour), 3600000)), value))) AS hours
FROM (
    SELECT customer_id, hour, /* value */ AS value
    FROM {hourly:Identifier}
    WHERE rollup_key = {rollup_key:String}
        AND hour >= fromUnixTimestamp64Milli({first:Int64} * 3600000, 'UTC')
        AND hour < fromUnixTimestamp64Milli({end:Int64} * 3600000, 'UTC')
        AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
        AND customer_id >= {from:String} AND ({to:String} = '' OR customer_id < {to:String})
        AND /* dirty */ true
    GROUP BY customer_id, hour
)
GROUP BY customer_id
ORDER BY customer_id
