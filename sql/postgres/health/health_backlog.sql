-- What waits, and what waits for a person.
SELECT (SELECT extract(epoch FROM clock_timestamp() - max(sealed_at))::bigint
        FROM usage_batches WHERE state = 'sealed') AS sealed_age_seconds,
    (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL AND kind = 'invoice')
        AS invoice_dead_letters,
    (SELECT count(*) FROM invoices WHERE status <> 'superseded'
        AND (standing_hold IS NOT NULL OR hold_reason IS NOT NULL)) AS held,
    (SELECT figures ->> 'unmapped' FROM job_attempts
        WHERE job IN ('bill', 'bill-dry-run') AND figures ? 'unmapped'
        ORDER BY started_at DESC LIMIT 1)::bigint AS unmapped
