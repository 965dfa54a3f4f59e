-- Fixes what an invoice charges: from now on it is not computed again. $1 invoice, $2 claim, $3 mode.
-- No row: it was changed, held or begun meanwhile, or the balance that it takes is another one now.
UPDATE invoices SET status = 'submitting', mode = $3
WHERE invoice_id = $1 AND claim_token = $2 AND mode IS NULL AND status = 'computed'
    AND hold_reason IS NULL AND standing_hold IS NULL AND stripe_customer_id IS NOT NULL
    AND (kind <> 'regular' OR carried_minor = (
        SELECT coalesce(sum(amount_minor), 0) FROM balance_entries AS entries
        WHERE entries.customer_id = invoices.customer_id
            AND entries.currency = invoices.currency AND entries.slot < invoices.slot))
RETURNING customer_id, currency, slot, carried_minor
