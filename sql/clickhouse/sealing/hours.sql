-- What some metrics come to in each hour of a customer: read once, written down by hour and by day.
CREATE TABLE {hours:Identifier} ENGINE = Memory AS
SELECT batch, customer_id,
    fromUnixTimestamp64Milli(toUnixTimestamp64Milli(timestamp)
        - positiveModulo(toUnixTimestamp64Milli(timestamp), 3600000), 'UTC') AS hour,
    count() AS events/* metric columns */
FROM /* winners */
GROUP BY batch, customer_id, hour
