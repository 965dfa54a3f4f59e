-- Proposals with their lines. $1 slot, $2 customer, $3 invoice, $4 this one: NULL is no restriction; $5: only those
-- that are open.
SELECT proposal_id, proposals.invoice_id, number, proposals.kind, proposals.currency, amount_minor,
    proposals.cutoff_batch, proposals.status, (extract(epoch FROM proposed_at) * 1000)::bigint AS proposed_ms, proposed_by,
    (extract(epoch FROM decided_at) * 1000)::bigint AS decided_ms, decided_by, reason, supplementary_id,
    stripe_credit_note_id, customer_id, slot, invoices.status AS invoice_status, proposals.input_hash, lines
FROM proposals JOIN invoices USING (invoice_id)
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('line_id', line_id, 'metric', metric, 'quantity', quantity::text,
        'amount_minor', amount_minor, 'description', description) ORDER BY position)::text AS lines
    FROM proposal_lines WHERE proposal_lines.proposal_id = proposals.proposal_id
) AS aggregated
WHERE ($1::text IS NULL OR slot = $1) AND ($2::text IS NULL OR customer_id = $2::text COLLATE "C")
    AND ($3::text IS NULL OR proposals.invoice_id = $3::text COLLATE "C")
    AND ($4::bigint IS NULL OR proposal_id = $4)
    AND (NOT $5::boolean OR proposals.status = 'open')
ORDER BY slot, customer_id, proposals.invoice_id, number
