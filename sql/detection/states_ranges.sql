-- Where blocks begin, and how many series there are in each.
SELECT first_customer, toInt64(length(customers)) AS series
FROM detection_blocks
WHERE position = {position:Int64} AND metric_key = {metric_key:String}
    AND has({versions:Array(UInt64)}, version)
ORDER BY first_customer
