-- For how many seconds the oldest event waits that came into the log after a moment; -1: none came.
SELECT if(count() = 0, -1,
    intDiv(toUnixTimestamp64Milli(now64(3, 'UTC')) - toUnixTimestamp64Milli(min(ingested_at)), 1000)) AS seconds
FROM {database:Identifier}.{events:Identifier}
WHERE ingested_at > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
