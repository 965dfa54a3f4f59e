-- What is too small to be charged is owed from now on: $1 slot, $2 mode. Answers how many there were.
WITH settled AS (
    UPDATE invoices SET mode = $2
    WHERE slot = $1 AND status = 'carried' AND mode IS NULL AND hold_reason IS NULL
        AND standing_hold IS NULL
        AND ($3::text[] IS NULL OR customer_id = ANY ($3::text[]))
        AND carried_minor = (
            SELECT coalesce(sum(amount_minor), 0) FROM balance_entries AS entries
            WHERE entries.customer_id = invoices.customer_id
                AND entries.currency = invoices.currency AND entries.slot < invoices.slot)
    RETURNING *
), entries AS (
    INSERT INTO balance_entries (customer_id, currency, slot, invoice_id, kind, amount_minor)
    SELECT customer_id, currency, slot, invoice_id, 'applied', -carried_minor FROM settled
    WHERE carried_minor > 0
    UNION ALL
    SELECT customer_id, currency, slot, invoice_id, 'carried', total_minor FROM settled
), journaled AS (
    INSERT INTO invoice_events (invoice_id, event, status, hold_reason, currency, total_minor,
        catalog_version, cutoff_batch, input_hash)
    SELECT invoice_id, 'carried', status, hold_reason, currency, total_minor, catalog_version,
        cutoff_batch, input_hash
    FROM settled
)
SELECT count(*) AS settled FROM settled
