-- Until the transaction ends: says under which lease it works, for lease_evict.
SELECT pg_advisory_xact_lock_shared(
    hashtext(current_schema() || ' lease ' || $1), ($2::bigint % 2147483647)::integer)
