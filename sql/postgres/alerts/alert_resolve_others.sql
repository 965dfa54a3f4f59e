-- In the transaction that raises alert $1: what else of kind $2 was said of subject $3 is over.
UPDATE alerts SET state = 'resolved', resolved_at = ledger_clock(), needs_routing = true
WHERE state <> 'resolved' AND kind = $2 AND subject = $3 AND key <> $1
