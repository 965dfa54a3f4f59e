-- A faulty row under the identity of one that counts is its duplicate or a conflict, as any other row would be: a
-- retry after a metric was added that cannot read it, or the very row that counts, read again. But not a
-- row that was quarantined already, and stays so.
ALTER TABLE {stage:Identifier} UPDATE id = identity, fault = ''
WHERE fault != ''
    AND (identity, check) IN (SELECT id, check FROM {known:Identifier} WHERE is_winner)
    AND (id, check, content, ingested_at) NOT IN (SELECT id, check, content, ingested_at FROM {known:Identifier})
