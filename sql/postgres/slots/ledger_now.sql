-- The one clock by which slots are due and leases end.
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
