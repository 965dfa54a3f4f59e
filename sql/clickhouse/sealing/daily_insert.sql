-- One row a day, customer and metric; those of one day and customer are computed side by side.
INSERT INTO {daily:Identifier} (batch, rollup_key, customer_id, day, events, unparsable, quantity)
SELECT batch, rollup.1, customer_id, day, rollup.2, rollup.3, rollup.4
FROM
(
    SELECT batch, customer_id,
        fromUnixTimestamp64Milli(toUnixTimestamp64Milli(hour)
            - positiveModulo(toUnixTimestamp64Milli(hour), 86400000), 'UTC') AS day,
        [/* rollups */] AS rollups
    FROM {hours:Identifier}
    GROUP BY batch, customer_id, day
)
ARRAY JOIN rollups AS rollup
WHERE rollup.2 > 0
