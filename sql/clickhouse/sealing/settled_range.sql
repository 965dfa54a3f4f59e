-- How many they are, and the minutes of ingestion between which they lie.
SELECT count() AS rows, min(minute) AS first_minute, max(minute) + 1 AS end_minute
FROM
(
    SELECT intDiv(toUnixTimestamp64Milli(ingested_at)
        - positiveModulo(toUnixTimestamp64Milli(ingested_at), 60000), 60000) AS minute
    FROM /* settled */
)
