-- One row an hour, customer and metric; those of one hour and customer are computed side by side.
INSERT INTO {hourly:Identifier} (batch, rollup_key, customer_id, hour, events, unparsable, quantity)
SELECT batch, rollup.1, customer_id, hour, rollup.2, rollup.3, rollup.4
FROM
(
    SELECT batch, customer_id,
        fromUnixTimestamp64Milli(toUnixTimestamp64Milli(timestamp)
            - positiveModulo(toUnixTimestamp64Milli(timestamp), 3600000), 'UTC') AS hour,
        [/* rollups */] AS rollups
    FROM /* winners */
    GROUP BY batch, customer_id, hour
)
ARRAY JOIN rollups AS rollup
WHERE rollup.2 > 0
