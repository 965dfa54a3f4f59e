-- A person says that alert $1 is over. $2: who; $3: why.
WITH resolved AS (
    UPDATE alerts SET state = 'resolved', resolved_at = ledger_clock(), needs_routing = true
    WHERE alert_id = $1 AND state <> 'resolved'
    RETURNING key, round
)
INSERT INTO alert_resolutions (key, round, by, reason)
SELECT key, round, $2::text, $3::text FROM resolved
RETURNING key
