-- One catalog is applied at a time. Held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' catalog', 0))
