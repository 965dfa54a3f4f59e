-- Lines of the invoices of a slot ($1) that were given to Stripe, beside those that were just staged: the
-- same month with the usage and the terms of now. Those that differ.
WITH sent AS (
    SELECT invoice_id, customer_id, currency, stripe_invoice_id FROM invoices
    WHERE slot = $1 AND mode IS NOT NULL AND status NOT IN ('superseded', 'void')
), old AS (
    SELECT invoice_lines.* FROM invoice_lines JOIN sent USING (invoice_id)
), new AS (
    SELECT staged_lines.* FROM staged_lines JOIN sent USING (invoice_id)
)
SELECT invoice_id, customer_id, currency, stripe_invoice_id, coalesce(old.line_id, new.line_id) AS line_id,
    coalesce(old.metric, new.metric) AS metric, coalesce(old.description, new.description) AS description,
    coalesce(old.quantity, 0)::text AS billed_quantity, coalesce(new.quantity, 0)::text AS used_quantity,
    coalesce(old.amount_minor, 0) AS billed_minor, coalesce(new.amount_minor, 0) AS used_minor,
    (coalesce(new.quantity, 0) > coalesce(old.quantity, 0))::integer
        - (coalesce(new.quantity, 0) < coalesce(old.quantity, 0))::integer AS quantity_sign
FROM old FULL JOIN new USING (invoice_id, line_id) JOIN sent USING (invoice_id)
WHERE (old.quantity, old.amount_minor) IS DISTINCT FROM (new.quantity, new.amount_minor)
ORDER BY customer_id, invoice_id, coalesce(old.position, new.position)
