-- Under a claim: whose invoice it is, and what events said of it so far.
SELECT customer_id, slot, mode IS NOT NULL AS is_begun, is_overdue, dispute_status, refunded_minor,
    credited_minor
FROM invoices WHERE invoice_id = $1 AND claim_token = $2
