-- What counts of a version.
SELECT customer_id, weekday, days, volume, shape
FROM detection_baselines
WHERE version = {version:UInt64} AND metric_key = {metric_key:String}
    AND customer_id >= {from:String} AND ({to:String} = '' OR customer_id < {to:String})
    AND has({weekdays:Array(Int64)}, weekday)
    AND (is_drifted = 0 OR {all_approved:Int64} = 1 OR has({approved:Array(String)}, customer_id))
ORDER BY customer_id, weekday, is_drifted DESC
LIMIT 1 BY customer_id, weekday
