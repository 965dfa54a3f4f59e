-- Whether every row that a batch has read is accounted for, and what counts was written down: read before the
-- batch is sealed, so that a table that forgets (a stage behind a load balancer, say) seals nothing.
SELECT
    (SELECT count() FROM {stage:Identifier}) AS staged,
    (SELECT sum(known_copies) FROM {contested:Identifier}) AS known,
    (SELECT countIf(fault != '' AND id NOT IN (SELECT id FROM {contested:Identifier})) FROM {stage:Identifier})
        + (SELECT sumIf(fresh, is_faulty) FROM {contested:Identifier}) AS quarantined,
    (SELECT sum(events) FROM {figures:Identifier} WHERE batch = {batch:UInt64}) AS counted,
    (SELECT sum(duplicates + conflicts) FROM {figures:Identifier} WHERE batch = {batch:UInt64}) AS repeated,
    (SELECT count() FROM {winners:Identifier} WHERE batch = {batch:UInt64}) AS written,
    (SELECT sum(events) FROM {daily:Identifier} WHERE batch = {batch:UInt64} AND rollup_key = 'events') AS added_up
