-- Whose hours before one have more usage than when they were judged: which is the first, and the last. Hours
-- before `oldest` are counted only.
SELECT rollup_key, customer_id,
    toInt64(minIf(intDiv(toUnixTimestamp64Milli(hour), 3600000), is_known)) AS first_hour,
    toInt64(maxIf(intDiv(toUnixTimestamp64Milli(hour), 3600000), is_known)) AS last_hour,
    uniqExactIf(hour, NOT is_known) AS older_hours
FROM (
    SELECT rollup_key, customer_id, hour,
        hour >= fromUnixTimestamp64Milli({oldest:Int64} * 3600000, 'UTC') AS is_known
    FROM {hourly:Identifier}
    WHERE has({rollup_keys:Array(String)}, rollup_key)
        AND hour < fromUnixTimestamp64Milli({end:Int64} * 3600000, 'UTC')
        AND batch > {after:UInt64} AND batch <= {cutoff:UInt64}
        AND NOT has({hidden:Array(UInt64)}, batch)
)
GROUP BY rollup_key, customer_id
ORDER BY rollup_key, customer_id
