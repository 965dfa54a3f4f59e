-- The hours in which anybody used anything, and how many series that were.
SELECT toInt64(intDiv(toUnixTimestamp64Milli(hour), 3600000)) AS present_hour,
    uniqCombined(rollup_key, customer_id) AS series
FROM {hourly:Identifier}
WHERE has({rollup_keys:Array(String)}, rollup_key)
    AND hour >= fromUnixTimestamp64Milli({first:Int64} * 3600000, 'UTC')
    AND hour < fromUnixTimestamp64Milli({end:Int64} * 3600000, 'UTC')
    AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
GROUP BY hour
