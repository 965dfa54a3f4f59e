-- What a batch came to, by UTC month of the rows that count.
SELECT
    toString(toYYYYMM(day)) AS month,
    sum(events) AS events, sum(duplicates) AS duplicates, sum(conflicts) AS conflicts
FROM {figures:Identifier} WHERE batch = {batch:UInt64}
GROUP BY month ORDER BY month
