-- Decides what becomes of each staged invoice: to the last character, so that running a month again
-- also mends what was changed by hand.
UPDATE staged_invoices AS staged SET outcome = coalesce(
    -- Another invoice that was sent covers a part of the period: nobody is billed twice for it.
    (
        SELECT 'overlapping' FROM invoices AS sent
        WHERE sent.customer_id = staged.customer_id AND sent.invoice_id <> staged.invoice_id
            AND sent.mode IS NOT NULL
            AND sent.status <> 'superseded'
            AND sent.period_start < staged.period_end AND sent.period_end > staged.period_start
        LIMIT 1
    ),
    (SELECT CASE
        WHEN known.mode IS NOT NULL THEN 'submitted'
        WHEN (known.slot, known.timezone, known.period_start, known.period_end, known.status,
                known.hold_reason, known.currency, known.total_minor, known.plan,
                known.stripe_customer_id, known.collection_method, known.days_until_due,
                known.catalog_version, known.input_hash)
            IS NOT DISTINCT FROM
            (staged.slot, staged.timezone, staged.period_start, staged.period_end, staged.status,
                staged.hold_reason, staged.currency, staged.total_minor, staged.plan,
                staged.stripe_customer_id, staged.collection_method, staged.days_until_due,
                staged.catalog_version, staged.input_hash)
            AND NOT EXISTS (
                SELECT 1
                FROM (SELECT * FROM invoice_lines WHERE invoice_id = staged.invoice_id) AS old
                FULL JOIN (SELECT * FROM staged_lines WHERE invoice_id = staged.invoice_id) AS new
                    USING (position)
                WHERE (old.line_id, old.metric, old.quantity, old.amount_minor, old.description,
                        old.tiers)
                    IS DISTINCT FROM
                    (new.line_id, new.metric, new.quantity, new.amount_minor, new.description,
                        new.tiers))
            THEN 'unchanged'
        ELSE 'changed'
    END
    FROM invoices AS known WHERE known.invoice_id = staged.invoice_id),
    'added')
