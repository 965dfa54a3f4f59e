SELECT (extract(epoch FROM ledger_clock()) * 1000)::bigint AS now_ms
