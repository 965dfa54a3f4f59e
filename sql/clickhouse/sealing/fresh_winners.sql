(
    SELECT {batch:UInt64} AS batch, * FROM {stage:Identifier}
    WHERE fault = '' AND id NOT IN (SELECT id FROM {contested:Identifier})
    UNION ALL
    SELECT {batch:UInt64} AS batch, * FROM {disputed:Identifier}
    WHERE (id, check, content, ingested_at) IN
        (SELECT id, check, content, ingested_at FROM {contested:Identifier} WHERE is_winner)
    LIMIT 1 BY id, check
)
