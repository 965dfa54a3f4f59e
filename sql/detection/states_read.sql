SELECT customer_id, last_active, state
FROM detection_states
WHERE position = {position:Int64} AND metric_key = {metric_key:String}
    AND has({versions:Array(UInt64)}, version)
    AND customer_id >= {from:String} AND ({to:String} = '' OR customer_id < {to:String})
    AND /* dirty */ true
ORDER BY customer_id, version DESC
LIMIT 1 BY customer_id
