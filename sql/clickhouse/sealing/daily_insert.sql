INSERT INTO {daily:Identifier} (batch, rollup_key, customer_id, day, events, unparsable, quantity)
SELECT batch, rollup_key, customer_id,
    fromUnixTimestamp64Milli(toUnixTimestamp64Milli(hour)
        - positiveModulo(toUnixTimestamp64Milli(hour), 86400000), 'UTC') AS day,
    sum(events), sum(unparsable),
    if(has({maxima:Array(String)}, rollup_key), max(quantity), sum(quantity))
FROM {hourly:Identifier}
WHERE batch >= {first_batch:UInt64} AND batch <= {last_batch:UInt64}
    AND has({rollup_keys:Array(String)}, rollup_key)
GROUP BY batch, rollup_key, customer_id, day
