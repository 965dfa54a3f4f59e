customer_id IN (
    SELECT customer_id FROM {hourly:Identifier}
    WHERE rollup_key = {rollup_key:String}
        AND hour >= fromUnixTimestamp64Milli({late_first:Int64} * 3600000, 'UTC')
        AND hour < fromUnixTimestamp64Milli({late_end:Int64} * 3600000, 'UTC')
        AND batch > {after:UInt64} AND batch <= {cutoff:UInt64}
        AND NOT has({hidden:Array(UInt64)}, batch)
)
