-- Rows with the identity of an event that counts, but another content: not billed, for a person to judge.
SELECT
    customer_id,
    transaction_id,
    toString(toUnixTimestamp64Milli(counted.timestamp)) AS counted_ms,
    counted.event_type AS counted_event_type,
    counted.properties AS counted_properties,
    toString(toUnixTimestamp64Milli(conflicting.timestamp)) AS conflicting_ms,
    conflicting.event_type AS conflicting_event_type,
    conflicting.properties AS conflicting_properties
FROM
(
    SELECT * FROM {conflicts:Identifier}
    WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
        AND /* customer filter */ true
) AS conflicting
INNER JOIN
(
    SELECT customer_id, transaction_id, event_type, timestamp, properties FROM {winners:Identifier}
    WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
        AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
        AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
        AND /* customer filter */ true
        AND (customer_id, transaction_id) IN
            (SELECT customer_id, transaction_id FROM {conflicts:Identifier})
) AS counted USING (customer_id, transaction_id)
ORDER BY customer_id, transaction_id, conflicting_ms, conflicting_event_type, conflicting_properties
