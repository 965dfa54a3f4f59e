SELECT ledger_id::text FROM ledger
