-- Decides what becomes of each staged invoice: to the last character, so that running a month again
-- also mends what was changed by hand. Joined as sets, whatever the planner knows of the tables.
WITH overlapping AS (
    -- Another invoice that was sent covers a part of the period: nobody is billed twice for it.
    SELECT DISTINCT staged.invoice_id
    FROM staged_invoices AS staged JOIN invoices AS sent USING (customer_id)
    WHERE sent.invoice_id <> staged.invoice_id AND sent.mode IS NOT NULL AND sent.kind = 'regular'
        AND sent.status <> 'superseded'
        AND sent.period_start < staged.period_end AND sent.period_end > staged.period_start
), with_other_lines AS (
    SELECT DISTINCT invoice_id
    FROM (
        SELECT invoice_lines.* FROM invoice_lines JOIN staged_invoices USING (invoice_id)
    ) AS old
    FULL JOIN (
        SELECT staged_lines.* FROM staged_lines JOIN invoices USING (invoice_id)
    ) AS new USING (invoice_id, position)
    WHERE (old.line_id, old.metric, old.quantity, old.amount_minor, old.description, old.tiers,
            old.events)
        IS DISTINCT FROM
        (new.line_id, new.metric, new.quantity, new.amount_minor, new.description, new.tiers,
            new.events)
), decided AS (
    SELECT staged.invoice_id, CASE
        WHEN overlapping.invoice_id IS NOT NULL THEN 'overlapping'
        WHEN known.invoice_id IS NULL THEN 'added'
        WHEN known.mode IS NOT NULL THEN 'submitted'
        WHEN with_other_lines.invoice_id IS NULL
            AND (known.slot, known.timezone, known.period_start, known.period_end, known.status,
                known.hold_reason, known.currency, known.total_minor, known.plan,
                known.stripe_customer_id, known.collection_method, known.days_until_due,
                known.catalog_version, known.input_hash, known.carried_minor)
            IS NOT DISTINCT FROM
            (staged.slot, staged.timezone, staged.period_start, staged.period_end, staged.status,
                staged.hold_reason, staged.currency, staged.total_minor, staged.plan,
                staged.stripe_customer_id, staged.collection_method, staged.days_until_due,
                staged.catalog_version, staged.input_hash, staged.carried_minor)
            THEN 'unchanged'
        ELSE 'changed' END AS outcome
    FROM staged_invoices AS staged
    LEFT JOIN invoices AS known USING (invoice_id)
    LEFT JOIN overlapping USING (invoice_id)
    LEFT JOIN with_other_lines USING (invoice_id)
)
UPDATE staged_invoices AS staged SET outcome = decided.outcome
FROM decided WHERE decided.invoice_id = staged.invoice_id
