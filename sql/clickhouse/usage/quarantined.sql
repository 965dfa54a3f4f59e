-- Rows of a period that cannot be billed as they are, each with its reasons: no id, no JSON object, or
-- the metrics whose quantity cannot be read exactly.
SELECT
    customer_id,
    transaction_id,
    event_type,
    toString(toUnixTimestamp64Milli(timestamp)) AS timestamp_ms,
    properties,
    arrayStringConcat(arrayFilter(x -> x != '', [
        if(customer_id = '', 'no customer_id', ''),
        if(isValidUTF8(customer_id) AND position(customer_id, '\0') = 0, '', 'customer_id is no text'),
        if(transaction_id = '', 'no transaction_id', ''),
        if(isValidJSON(properties) AND JSONType(properties) = 'Object', '', 'properties are no JSON object')/* metric reasons */
    ]), ', ') AS reasons
FROM events
WHERE timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
    AND /* customer filter */ true
    AND reasons != ''
ORDER BY timestamp, customer_id, transaction_id, properties
