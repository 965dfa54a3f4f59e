-- A copy of the rows of a batch: whatever happens to the log meanwhile, the batch stays what it is.
-- A row that cannot be billed as it is has a fault, and an id of its own kind: it claims no identity, unless
-- one that counts has it already.
CREATE TABLE {stage:Identifier} ENGINE = Memory AS
SELECT
    customer_id,
    transaction_id,
    event_type,
    timestamp,
    properties,
    ingested_at,
    cityHash64(event_type, toUnixTimestamp64Milli(timestamp), properties) AS content,
    toInt32(intDiv(toUnixTimestamp64Milli(timestamp)
        - positiveModulo(toUnixTimestamp64Milli(timestamp), 86400000), 86400000)) AS day/* metric values */,
    if(customer_id != '' AND transaction_id != '' AND isValidUTF8(customer_id)
            AND position(customer_id, '\0') = 0 AND JSONType(properties) = 'Object'/* readable */,
        '',
        arrayStringConcat(arrayFilter(x -> x != '', [
            if(customer_id = '', 'no customer_id', ''),
            if(isValidUTF8(customer_id) AND position(customer_id, '\0') = 0, '', 'customer_id is no text'),
            if(transaction_id = '', 'no transaction_id', ''),
            if(JSONType(properties) = 'Object', '', 'properties are no JSON object')/* metric reasons */
        ]), ', ')) AS fault,
    cityHash64(customer_id, transaction_id) AS identity,
    if(fault = '', identity, cityHash64('quarantined', customer_id, transaction_id, content)) AS id,
    toUInt32(xxHash64(customer_id, transaction_id) % 4294967296) AS check
FROM {database:Identifier}.{events:Identifier}
WHERE ingested_at >= fromUnixTimestamp64Milli({first_minute:Int64} * 60000, 'UTC')
    AND ingested_at < fromUnixTimestamp64Milli({end_minute:Int64} * 60000, 'UTC')
    AND (empty({minutes:Array(Int64)}) OR has({minutes:Array(Int64)}, intDiv(toUnixTimestamp64Milli(ingested_at)
            - positiveModulo(toUnixTimestamp64Milli(ingested_at), 60000), 60000)))
    AND ({parts:UInt64} = 1 OR cityHash64(customer_id, transaction_id) % {parts:UInt64} = {part:UInt64})
