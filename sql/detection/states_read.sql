SELECT version, customers, last_active, states
FROM detection_blocks
WHERE position = {position:Int64} AND metric_key = {metric_key:String}
    AND has({versions:Array(UInt64)}, version)
    AND last_customer >= {from:String} AND ({to:String} = '' OR first_customer < {to:String})
ORDER BY first_customer, version
