-- Proposes a correction of an invoice that was sent to the end. $1 invoice, $2 kind, $3 amount, $4 cut-off, $5 hash of the
-- inputs, $6 who, $7 the lines, as JSON.
WITH added AS (
    INSERT INTO proposals (invoice_id, number, kind, currency, amount_minor, cutoff_batch, input_hash, proposed_by)
    SELECT invoice_id,
        1 + coalesce((SELECT max(number) FROM proposals AS known WHERE known.invoice_id = invoices.invoice_id), 0),
        $2, currency, $3, $4, $5, $6
    FROM invoices WHERE invoice_id = $1::text COLLATE "C"
    RETURNING proposal_id
)
INSERT INTO proposal_lines (proposal_id, position, line_id, metric, quantity, amount_minor, description)
SELECT proposal_id, place - 1, line->>'line_id', line->>'metric', (line->>'quantity')::numeric,
    (line->>'amount_minor')::bigint, line->>'description'
FROM added CROSS JOIN jsonb_array_elements($7::jsonb) WITH ORDINALITY AS lines (line, place)
