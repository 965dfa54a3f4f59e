INSERT INTO {figures:Identifier} (batch, day, events, duplicates, conflicts)
SELECT {batch:UInt64}, fromUnixTimestamp64Milli(toInt64(counted_day) * 86400000, 'UTC'),
    sum(is_winner), sum(fresh - is_winner - is_conflict), sum(is_conflict)
FROM
(
    SELECT day AS counted_day, toUInt64(1) AS fresh, true AS is_winner, false AS is_conflict
    FROM {stage:Identifier}
    WHERE fault = '' AND id NOT IN (SELECT id FROM {contested:Identifier})
    UNION ALL
    SELECT counted_day, fresh, is_winner, is_conflict
    FROM {contested:Identifier} WHERE NOT is_faulty AND fresh > 0
)
GROUP BY counted_day
