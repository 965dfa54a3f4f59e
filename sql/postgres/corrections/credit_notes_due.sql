-- Credit notes that were approved, and are still to be made, of invoices that nothing else stands in the way of.
-- $1 slot, $2 customers, $3 proposal: NULL: all.
SELECT proposal_id, invoice_id, number, amount_minor, slot, customer_id
FROM proposals JOIN invoices USING (invoice_id)
WHERE proposals.kind = 'credit_note' AND proposals.status = 'approved' AND stripe_credit_note_id IS NULL
    AND ($1::text IS NULL OR slot = $1) AND ($2::text[] IS NULL OR customer_id = ANY ($2))
    AND ($3::bigint IS NULL OR proposal_id = $3) AND standing_hold IS NULL
    AND NOT EXISTS (
        SELECT FROM dead_letters
        WHERE dead_letters.kind = 'invoice' AND subject_id = invoice_id AND resolved_at IS NULL)
ORDER BY proposal_id
