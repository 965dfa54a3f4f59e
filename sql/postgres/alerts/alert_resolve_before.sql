-- Alerts of kind $1 about months before $2 are over: nobody looks at those any more.
UPDATE alerts SET state = 'resolved', resolved_at = ledger_clock(), needs_routing = true
WHERE state <> 'resolved' AND kind = $1 AND subject COLLATE "C" < $2
