-- How many events a line's quantity was made of; NULL: a fee, a minimum, what was carried.
ALTER TABLE invoice_lines ADD events bigint CHECK (events >= 0);
