-- All events, whether or not a metric counts them: who used anything at all.
INSERT INTO {daily:Identifier} (batch, rollup_key, customer_id, day, events, unparsable, quantity)
SELECT batch, 'events', customer_id,
    fromUnixTimestamp64Milli(toUnixTimestamp64Milli(timestamp)
        - positiveModulo(toUnixTimestamp64Milli(timestamp), 86400000), 'UTC') AS day,
    count(), 0, NULL
FROM /* winners */
GROUP BY batch, customer_id, day
