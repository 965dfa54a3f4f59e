-- Months of which anything was given to Stripe, within $1 to $2.
SELECT DISTINCT slot FROM invoices
WHERE mode IS NOT NULL AND status <> 'superseded' AND slot BETWEEN $1 AND $2
ORDER BY slot
