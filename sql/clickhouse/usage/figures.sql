-- What became of the rows of a period. A duplicate repeats the row that counts; a conflict has its
-- identity but another content; quarantined rows have no id, an id that is no
-- text, or no JSON object.
WITH
    fromUnixTimestamp64Milli({start:Int64}, 'UTC') AS period_start,
    fromUnixTimestamp64Milli({end:Int64}, 'UTC') AS period_end
SELECT
    (
        SELECT count()
        FROM events
        WHERE timestamp >= period_start AND timestamp < period_end
            AND (customer_id = '' OR transaction_id = ''
                OR NOT isValidUTF8(customer_id) OR position(customer_id, '\0') > 0
                OR NOT isValidJSON(properties) OR JSONType(properties) != 'Object')
    ) AS quarantined,
    count() AS events,
    sum(rows - 1 - different) AS duplicates,
    sum(different) AS conflicts
FROM
(
    SELECT
        argMin(timestamp, (ingested_at, sipHash128(event_type, timestamp, properties))) AS counted_at,
        count() AS rows,
        -- Contents other than the winner's: each is one conflict, however often it was repeated.
        uniqExact(sipHash128(event_type, timestamp, properties)) - 1 AS different
    FROM events
    WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64} - {horizon:Int64}, 'UTC')
        AND timestamp < fromUnixTimestamp64Milli({end:Int64} + {horizon:Int64}, 'UTC')
        AND customer_id != '' AND transaction_id != ''
        AND isValidUTF8(customer_id) AND position(customer_id, '\0') = 0
        AND isValidJSON(properties) AND JSONType(properties) = 'Object'
        AND (customer_id, transaction_id) IN
        (
            SELECT customer_id, transaction_id
            FROM events
            WHERE timestamp >= period_start AND timestamp < period_end
        )
    GROUP BY customer_id, transaction_id
)
WHERE counted_at >= period_start AND counted_at < period_end
