-- What waits, and what waits for a person.
WITH sealed AS (SELECT max(sealed_at) AS sealed_at FROM usage_batches WHERE state = 'sealed')
SELECT (SELECT extract(epoch FROM clock_timestamp() - sealed_at)::bigint FROM sealed) AS sealed_age_seconds,
    (SELECT (extract(epoch FROM sealed_at) * 1000)::bigint FROM sealed) AS sealed_ms,
    (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL AND kind = 'invoice')
        AS invoice_dead_letters,
    (SELECT count(*) FROM invoices WHERE status <> 'superseded'
        AND (standing_hold IS NOT NULL OR hold_reason IS NOT NULL)) AS held,
    (SELECT figures ->> 'unmapped' FROM job_attempts
        WHERE job IN ('bill', 'bill-dry-run') AND figures ? 'unmapped'
        ORDER BY started_at DESC LIMIT 1)::bigint AS unmapped
