INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start, period_end, kind,
    revision, status, hold_reason, currency, total_minor, plan, stripe_customer_id,
    collection_method, days_until_due, catalog_version, cutoff_batch, input_hash, tzdata_version,
    carried_minor)
SELECT invoice_id, customer_id, slot, timezone, period_start, period_end, 'regular',
    0, status, hold_reason, currency, total_minor, plan, stripe_customer_id,
    collection_method, days_until_due, catalog_version, cutoff_batch, input_hash, tzdata_version,
    carried_minor
FROM staged_invoices
WHERE outcome IN ('added', 'changed')
ORDER BY invoice_id
ON CONFLICT (invoice_id) DO UPDATE SET
    slot = excluded.slot,
    timezone = excluded.timezone,
    status = excluded.status,
    hold_reason = excluded.hold_reason,
    currency = excluded.currency,
    total_minor = excluded.total_minor,
    plan = excluded.plan,
    stripe_customer_id = excluded.stripe_customer_id,
    collection_method = excluded.collection_method,
    days_until_due = excluded.days_until_due,
    catalog_version = excluded.catalog_version,
    cutoff_batch = excluded.cutoff_batch,
    input_hash = excluded.input_hash,
    tzdata_version = excluded.tzdata_version,
    carried_minor = excluded.carried_minor,
    computed_at = now()
