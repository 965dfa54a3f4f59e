-- For the comparison with what is there.
CREATE INDEX ON staged_invoices (customer_id)
