-- What was charged of an invoice's lines ($1), with what was decided of the proposals up to one ($2).
SELECT line_id, sum(amount_minor)::bigint AS amount_minor
FROM (
    SELECT line_id, amount_minor FROM invoice_lines WHERE invoice_id = $1
    UNION ALL
    SELECT line_id, proposal_lines.amount_minor
    FROM proposal_lines JOIN proposals USING (proposal_id)
    WHERE invoice_id = $1 AND number <= $2 AND status IN ('approved', 'rejected')
        AND NOT EXISTS (
            SELECT FROM invoices AS made
            WHERE made.invoice_id = supplementary_id AND made.status = 'void' AND number < $2)
) AS charged
GROUP BY line_id
