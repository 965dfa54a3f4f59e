-- In the transaction of the cause: it is over. $1: the alert's key, or $2 its subject and $3 the kinds.
UPDATE alerts SET state = 'resolved', resolved_at = ledger_clock(), needs_routing = true
WHERE state <> 'resolved'
    AND (key = $1 OR (subject = $2 AND kind = ANY ($3::text[])))
