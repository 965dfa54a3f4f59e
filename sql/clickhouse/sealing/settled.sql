-- Rows that count, although another one of their id comes before them in the log: it became visible later.
(
    SELECT id, check, content, ingested_at FROM {seen:Identifier}
    PREWHERE id IN (SELECT cityHash64(customer_id, transaction_id) FROM {conflicts:Identifier})
    WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch) AND is_winner
        AND (id, check) IN
        (
            SELECT id, check FROM {seen:Identifier}
            PREWHERE id IN (SELECT cityHash64(customer_id, transaction_id) FROM {conflicts:Identifier})
            WHERE batch <= {cutoff:UInt64} AND NOT has({hidden:Array(UInt64)}, batch)
            GROUP BY id, check
            HAVING min((ingested_at, content)) < minIf((ingested_at, content), is_winner)
        )
)
