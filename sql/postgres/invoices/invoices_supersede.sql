-- Sets aside what was computed earlier and is not right any more: invoices of this slot ($1) that did
-- not come out again (of all customers, or of $2); and unsent ones of the months before ($3) and after
-- ($4) that do not end or start where the new ones do, or any that overlap them: the customer's zone
-- changed. Answers the slots of the latter, which must be billed again.
WITH superseded AS (
    UPDATE invoices AS known SET status = 'superseded', computed_at = now()
    WHERE mode IS NULL AND status <> 'superseded' AND kind = 'regular'
        AND NOT EXISTS (
            SELECT 1 FROM staged_invoices AS staged WHERE staged.invoice_id = known.invoice_id)
        AND (
            known.slot = $1 AND ($2::text[] IS NULL OR known.customer_id = ANY ($2::text[]))
            OR EXISTS (
                SELECT 1 FROM staged_invoices AS staged
                WHERE staged.customer_id = known.customer_id
                    AND (staged.period_start < known.period_end
                        AND staged.period_end > known.period_start
                        OR known.slot = $3 AND known.period_end <> staged.period_start
                        OR known.slot = $4 AND known.period_start <> staged.period_end)))
    RETURNING *
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
        catalog_version, cutoff_batch, input_hash)
    SELECT invoice_id, 'superseded', status, hold_reason, currency, total_minor, catalog_version,
        cutoff_batch, input_hash
    FROM superseded
)
SELECT slot, sum(invoices)::bigint AS invoices
FROM (
    SELECT slot, 1 AS invoices FROM superseded
    UNION ALL
    -- Set aside by an earlier run, and not billed again since: it must not look done.
    SELECT known.slot, 0
    FROM invoices AS known JOIN staged_invoices AS staged USING (customer_id)
    WHERE known.mode IS NULL AND known.status = 'superseded' AND known.kind = 'regular'
        AND (known.slot = $3 AND known.period_end <> staged.period_start
            OR known.slot = $4 AND known.period_start <> staged.period_end)
        AND NOT EXISTS (
            SELECT 1 FROM invoices AS live
            WHERE live.customer_id = known.customer_id AND live.slot = known.slot
                AND live.kind = 'regular'
                AND live.status <> 'superseded')
) AS other
GROUP BY slot ORDER BY slot
