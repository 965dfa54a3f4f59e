-- Rows with the identity of an event that counts, but another content: not billed, for a person to judge.
SELECT
    customer_id,
    transaction_id,
    toString(toUnixTimestamp64Milli(winner.2)) AS counted_ms,
    winner.1 AS counted_event_type,
    winner.3 AS counted_properties,
    toString(toUnixTimestamp64Milli(other.2)) AS conflicting_ms,
    other.1 AS conflicting_event_type,
    other.3 AS conflicting_properties
FROM
(
    SELECT
        customer_id,
        transaction_id,
        argMin((event_type, timestamp, properties),
            (ingested_at, sipHash128(event_type, timestamp, properties))) AS winner,
        arrayJoin(arraySort(groupUniqArray((event_type, timestamp, properties)))) AS other
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
WHERE other != winner
    AND winner.2 >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND winner.2 < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
ORDER BY customer_id, transaction_id, other
