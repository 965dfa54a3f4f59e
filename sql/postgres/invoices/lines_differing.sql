-- Lines of a slot ($1) as they were charged, beside those that were just staged: the same month with the
-- usage and the terms of now. Those that differ. Of a month that is done ($2), what was never sent is
-- compared, too: no other run would bill what came late. $3: customers that are inactive, who should not have
-- been charged. What was decided of proposals counts as charged: approved or not, nobody is told of it again.
WITH compared AS (
    SELECT invoice_id, coalesce(known.customer_id, staged.customer_id) AS customer_id,
        CASE WHEN known.mode IS NULL THEN staged.currency ELSE known.currency END AS currency,
        stripe_invoice_id, known.mode IS NOT NULL AS is_sent,
        coalesce(known.recovery_point = 'collected' AND known.status IN ('open', 'payment_failed', 'paid')
            OR known.mode IS NOT NULL AND known.status = 'carried', false) AS is_correctable,
        -- A total of zero is settled by being that.
        known.mode IS NOT NULL OR coalesce(known.status = 'skipped_zero', false) AS is_settled
    FROM (SELECT * FROM invoices WHERE slot = $1 AND kind = 'regular') AS known
    FULL JOIN staged_invoices AS staged USING (invoice_id)
    WHERE known.mode IS NOT NULL AND known.status NOT IN ('superseded', 'void')
        OR known.mode IS NULL AND staged.invoice_id IS NOT NULL AND $2::boolean
            -- A person is at it.
            AND coalesce(known.standing_hold, known.hold_reason) IS NULL
            -- Fees alone, of somebody who came later, are no late usage.
            AND (known.invoice_id IS NOT NULL OR EXISTS (
                SELECT FROM staged_lines
                WHERE staged_lines.invoice_id = staged.invoice_id AND metric IS NOT NULL))
            -- Another invoice that was sent covers a part of the period.
            AND NOT EXISTS (
                SELECT FROM invoices AS sent
                WHERE sent.customer_id = staged.customer_id AND sent.mode IS NOT NULL AND sent.kind = 'regular'
                    AND sent.status <> 'superseded'
                    AND sent.period_start < staged.period_end
                    AND sent.period_end > staged.period_start)
), old AS (
    SELECT invoice_id, line_id, min(metric) AS metric, (array_agg(description ORDER BY place))[1] AS description,
        min(position) AS position, sum(quantity) AS quantity, sum(amount_minor)::bigint AS amount_minor
    FROM (
        SELECT invoice_id, line_id, metric, description, position, quantity, amount_minor, 0 AS place
        FROM invoice_lines
        UNION ALL
        SELECT invoice_id, line_id, metric, description, position, quantity, proposal_lines.amount_minor, number
        FROM proposal_lines JOIN proposals USING (proposal_id)
        WHERE status IN ('approved', 'rejected')
            -- What was voided charges nothing.
            AND NOT EXISTS (
                SELECT FROM invoices AS made
                WHERE made.invoice_id = supplementary_id AND made.status = 'void')
    ) AS charged JOIN compared USING (invoice_id)
    WHERE is_settled
    GROUP BY invoice_id, line_id
), new AS (
    SELECT staged_lines.* FROM staged_lines JOIN compared USING (invoice_id)
    WHERE NOT is_sent OR customer_id <> ALL ($3::text[])
)
SELECT invoice_id, customer_id, currency, stripe_invoice_id, is_sent, is_correctable,
    coalesce(old.line_id, new.line_id) AS line_id,
    coalesce(old.metric, new.metric) AS metric, coalesce(old.description, new.description) AS description,
    coalesce(old.quantity, 0)::text AS billed_quantity, coalesce(new.quantity, 0)::text AS used_quantity,
    coalesce(old.amount_minor, 0) AS billed_minor, coalesce(new.amount_minor, 0) AS used_minor,
    (coalesce(new.quantity, 0) > coalesce(old.quantity, 0))::integer
        - (coalesce(new.quantity, 0) < coalesce(old.quantity, 0))::integer AS quantity_sign
FROM old FULL JOIN new USING (invoice_id, line_id) JOIN compared USING (invoice_id)
WHERE (coalesce(old.quantity, 0), coalesce(old.amount_minor, 0))
    <> (coalesce(new.quantity, 0), coalesce(new.amount_minor, 0))
ORDER BY customer_id, invoice_id, coalesce(old.position, new.position)
