-- The invoice that a proposal ($2) becomes, under its id ($1); $3: computed, or carried if it is too small to be charged:
-- then it is owed at once;
-- $4: what its lines are called, as JSON.
WITH proposal AS (
    SELECT proposals.*, customers.stripe_customer_id AS newest_stripe_customer_id
    FROM proposals JOIN invoices USING (invoice_id) LEFT JOIN customers USING (customer_id)
    WHERE proposal_id = $2
), added AS (
    INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start, period_end, kind, revision, mode, status,
        currency, total_minor, plan, stripe_customer_id, collection_method, days_until_due, catalog_version,
        cutoff_batch, input_hash, tzdata_version)
    SELECT $1, customer_id, slot, timezone, period_start, period_end, 'supplementary', number,
        CASE WHEN $3 = 'carried' THEN mode END, $3,
        invoices.currency, amount_minor, plan, coalesce(newest_stripe_customer_id, stripe_customer_id),
        collection_method, days_until_due, catalog_version,
        proposal.cutoff_batch, proposal.input_hash, tzdata_version
    FROM proposal JOIN invoices USING (invoice_id)
    RETURNING *
), owed AS (
    INSERT INTO balance_entries (customer_id, currency, slot, invoice_id, kind, amount_minor)
    SELECT customer_id, currency, slot, invoice_id, 'carried', total_minor FROM added WHERE status = 'carried'
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor, catalog_version,
        cutoff_batch, input_hash)
    SELECT invoice_id, 'computed', status, hold_reason, currency, total_minor, catalog_version, cutoff_batch, input_hash
    FROM added
)
INSERT INTO invoice_lines (invoice_id, position, line_id, metric, quantity, amount_minor, description, tiers)
SELECT added.invoice_id, position, line.new_id, metric, quantity, proposal_lines.amount_minor, description, '[]'
FROM added CROSS JOIN proposal
JOIN proposal_lines USING (proposal_id)
JOIN jsonb_to_recordset($4::jsonb) AS line (old_id text, new_id text) ON line.old_id = line_id
