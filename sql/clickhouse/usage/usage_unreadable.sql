-- Events that count, but whose quantity a metric cannot read: sealed before the metric was known.
SELECT customer_id, transaction_id, event_type,
    toString(toUnixTimestamp64Milli(timestamp)) AS timestamp_ms, properties,
    arrayStringConcat(arrayFilter(x -> x != '', [/* metric reasons */]), ', ') AS reasons
FROM {winners:Identifier}
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
    AND /* customer filter */ true
    AND reasons != ''
ORDER BY timestamp, customer_id, transaction_id
