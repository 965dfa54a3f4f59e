-- Batches of a rebuild: what they hold was in the log before, and is not late.
ALTER TABLE usage_batches ADD is_rebuild boolean NOT NULL DEFAULT false;

CREATE INDEX quarantine_of_a_batch ON quarantine (batch);

-- The batch up to which all of a month was last billed; NULL: it never was. If only some of its customers
-- were, that of those whose invoices are the oldest.
CREATE FUNCTION billed_through(month text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (
            SELECT max((figures->>'cutoff_batch')::bigint) FROM job_attempts
            WHERE job IN ('bill', 'bill-dry-run') AND slot = month
                AND (figures->>'not_chosen')::bigint = 0
        ),
        (SELECT min(cutoff_batch) FROM invoices WHERE slot = month AND status <> 'superseded'))
$$;
