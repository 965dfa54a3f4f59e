-- Gives up what waits for route $1. $2: who says so, and why.
WITH pending AS (
    UPDATE alert_messages SET state = 'discarded', settled_at = ledger_clock(), note = $2
    WHERE route = $1 AND state = 'pending'
    RETURNING message_id
), message AS (
    INSERT INTO alert_messages (route, state, settled_at, note)
    SELECT $1::text, 'discarded', ledger_clock(), $2::text
    WHERE EXISTS (SELECT FROM alert_deliveries WHERE route = $1 AND message_id IS NULL)
    RETURNING message_id
), waiting AS (
    UPDATE alert_deliveries SET message_id = message.message_id
    FROM message
    WHERE alert_deliveries.route = $1 AND alert_deliveries.message_id IS NULL
    RETURNING delivery_id
)
SELECT (SELECT count(*) FROM waiting)
    + (SELECT count(*) FROM alert_deliveries JOIN pending USING (message_id)) AS discarded
