-- Invoices with their lines. $1 slot, $2 customer, $3 status, $4 invoices: NULL is no restriction;
-- $5: only what is to be sent, without the tiers, which are not.
SELECT invoice_id, customer_id, slot, timezone,
    (extract(epoch FROM period_start) * 1000)::bigint AS start_ms,
    (extract(epoch FROM period_end) * 1000)::bigint AS end_ms,
    kind, revision, mode, status, coalesce(standing_hold, hold_reason) AS hold_reason, currency, total_minor, plan, stripe_customer_id,
    collection_method, days_until_due, stripe_invoice_id, catalog_version, cutoff_batch, input_hash,
    tzdata_version, carried_minor, recovery_point, lines
FROM invoices
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_object('line_id', line_id, 'metric', metric,
        'quantity', quantity::text, 'amount_minor', amount_minor,
        'description', description, 'events', events,
        'tiers', CASE WHEN $5::boolean THEN '[]' ELSE tiers END) ORDER BY position), '[]')::text AS lines
    FROM invoice_lines WHERE invoice_lines.invoice_id = invoices.invoice_id
) AS aggregated
WHERE ($1::text IS NULL OR slot = $1::text)
    AND ($2::text IS NULL OR customer_id = $2::text)
    AND ($3::text IS NULL OR status = $3::text)
    AND ($4::text[] IS NULL OR invoice_id = ANY ($4::text[]))
    AND (NOT $5::boolean OR (status = 'computed' AND hold_reason IS NULL AND standing_hold IS NULL))
    AND (status <> 'superseded' OR $3::text IS NOT NULL OR $4::text[] IS NOT NULL)
ORDER BY slot, customer_id, invoice_id
