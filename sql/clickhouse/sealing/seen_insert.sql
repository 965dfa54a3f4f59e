INSERT INTO {seen:Identifier} (batch, id, check, content, ingested_at, day, is_winner, copies)
SELECT {batch:UInt64}, id, check, content, ingested_at, day, fault = '', 1
FROM {stage:Identifier} WHERE id NOT IN (SELECT id FROM {contested:Identifier})
UNION ALL
SELECT {batch:UInt64}, id, check, content, ingested_at, day, is_winner, fresh
FROM {contested:Identifier} WHERE fresh > 0
