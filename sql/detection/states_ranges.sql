-- Every Nth customer: where ranges of about as many begin.
SELECT customer_id
FROM (
    SELECT customer_id, rowNumberInAllBlocks() AS number
    FROM (
        SELECT DISTINCT customer_id FROM detection_states
        WHERE position = {position:Int64} AND metric_key = {metric_key:String}
            AND has({versions:Array(UInt64)}, version)
            AND /* dirty */ true
        ORDER BY customer_id
    )
)
WHERE number > 0 AND number % {size:UInt64} = 0
ORDER BY customer_id
