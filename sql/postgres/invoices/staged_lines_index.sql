-- For the comparison with what is there.
CREATE INDEX ON staged_lines (invoice_id)
