-- $1: resolved ones too; $2: only this one.
SELECT dead_letter_id, dead_letters.kind, subject_id, reason,
    (extract(epoch FROM dead_letters.created_at) * 1000)::bigint AS created_ms,
    (extract(epoch FROM resolved_at) * 1000)::bigint AS resolved_ms, resolution, resolved_by,
    resolve_reason, customer_id, slot, currency, total_minor, recovery_point
FROM dead_letters
LEFT JOIN invoices ON dead_letters.kind = 'invoice' AND invoice_id = subject_id
WHERE ($1::boolean OR resolved_at IS NULL)
    AND ($2::bigint IS NULL OR dead_letter_id = $2::bigint)
ORDER BY dead_letter_id
