-- Every minute of ingestion that has rows, and whether it is another one than when it was last read. A
-- checksum also finds rows that came while a merge took others away; it reads all columns.
SELECT minute, source.rows AS rows,
    source.rows != state.rows OR source.checksum != state.checksum AS differs
FROM
(
    SELECT
        intDiv(toUnixTimestamp64Milli(ingested_at)
            - positiveModulo(toUnixTimestamp64Milli(ingested_at), 60000), 60000) AS minute,
        count() AS rows,
        /* checksum */ 0 AS checksum
    FROM {database:Identifier}.{events:Identifier}
    GROUP BY minute
) AS source
LEFT JOIN
(
    SELECT minute, sum(rows) AS rows, /* state checksum */ 0 AS checksum
    FROM {slices:Identifier}
    WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
        AND (minute, round) IN
        (
            SELECT minute, max(round) FROM {slices:Identifier}
            WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
            GROUP BY minute
        )
    GROUP BY minute
) AS state USING (minute)
ORDER BY minute
