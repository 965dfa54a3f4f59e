SELECT customer_id, rollup.1 AS rollup_key, rollup.2 AS events, rollup.3 AS unparsable, rollup.4 AS quantity
FROM
(
    SELECT customer_id, [/* rollups */] AS rollups
    FROM
    (
        SELECT customer_id, transaction_id, event_type, timestamp, properties/* metric values */
        FROM {winners:Identifier}
        WHERE timestamp >= fromUnixTimestamp64Milli(/* start */, 'UTC')
            AND timestamp < fromUnixTimestamp64Milli(/* end */, 'UTC')
            AND batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
            AND /* customer filter */ true
    )
    GROUP BY customer_id
)
ARRAY JOIN rollups AS rollup
WHERE rollup.2 > 0
