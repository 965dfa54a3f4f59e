-- One at a time may take a customer's balance.
SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' balance ' || $1, 0))
