INSERT INTO {slices:Identifier} (batch, round, minute, rows, checksum)
SELECT {batch:UInt64}, {round:UInt64},
    intDiv(toUnixTimestamp64Milli(ingested_at)
        - positiveModulo(toUnixTimestamp64Milli(ingested_at), 60000), 60000) AS minute,
    count(), sum(cityHash64(customer_id, transaction_id, event_type, timestamp, properties, ingested_at))
FROM {stage:Identifier}
GROUP BY minute
