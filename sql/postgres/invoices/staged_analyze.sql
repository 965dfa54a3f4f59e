-- Decides what becomes of each staged invoice.
UPDATE staged_invoices AS staged SET outcome = coalesce((
    SELECT CASE
        WHEN known.mode IS NOT NULL THEN 'submitted'
        WHEN (known.status, known.hold_reason, known.input_hash, known.total_minor,
                known.stripe_customer_id, known.collection_method, known.days_until_due)
            IS NOT DISTINCT FROM
            (staged.status, staged.hold_reason, staged.input_hash, staged.total_minor,
                staged.stripe_customer_id, staged.collection_method, staged.days_until_due)
            THEN 'unchanged'
        ELSE 'changed'
    END
    FROM invoices AS known WHERE known.invoice_id = staged.invoice_id), 'added')
