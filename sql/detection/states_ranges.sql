-- Where blocks begin, of all metrics, and how many series there are in each.
SELECT metric_key, first_customer, toInt64(length(customers)) AS series
FROM detection_blocks
WHERE position = {position:Int64} AND has({versions:Array(UInt64)}, version)
ORDER BY metric_key, first_customer
