-- What every customer used in a period: of all rows with one identity the first counts, and its
-- timestamp decides the period. Only identities with a row in the period are looked at, but over the
-- whole horizon, since the row that counts may lie outside.
SELECT
    customer_id,
    count() AS events/* metric columns */
FROM
(
    SELECT
        customer_id,
        transaction_id,
        winner.1 AS event_type,
        winner.2 AS timestamp,
        winner.3 AS properties/* metric values */
    FROM
    (
        SELECT
            customer_id,
            transaction_id,
            argMin((event_type, timestamp, properties),
                (ingested_at, sipHash128(event_type, timestamp, properties))) AS winner
        FROM events
        WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64} - {horizon:Int64}, 'UTC')
            AND timestamp < fromUnixTimestamp64Milli({end:Int64} + {horizon:Int64}, 'UTC')
            AND customer_id != '' AND transaction_id != ''
            AND isValidUTF8(customer_id) AND position(customer_id, '\0') = 0
            AND isValidJSON(properties) AND JSONType(properties) = 'Object'
            AND /* customer filter */ true
            AND (customer_id, transaction_id) IN
            (
                SELECT customer_id, transaction_id
                FROM events
                WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
                    AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
                    AND /* customer filter */ true
            )
        GROUP BY customer_id, transaction_id
    )
)
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
GROUP BY customer_id
ORDER BY customer_id
