-- A person's word: $1 ids, $2 acknowledged, resolved or dismissed, $3 who, $4 why. Who speaks of it knows of
-- it. What late data has withdrawn is nothing to speak of.
WITH reviewed AS (
    UPDATE anomalies SET
        is_confirmed = $2 <> 'dismissed', told_score = coalesce(told_score, score),
        status = CASE WHEN $2 = 'acknowledged' AND closed_at IS NOT NULL THEN 'resolved' ELSE $2 END,
        closed_at = CASE WHEN $2 = 'acknowledged' THEN closed_at ELSE coalesce(closed_at, now()) END,
        close_reason = CASE WHEN $2 = 'acknowledged' THEN close_reason
            ELSE $2 || ' by ' || $3 END
    WHERE anomaly_id = ANY ($1::text[]) AND status <> 'withdrawn'
    RETURNING anomaly_id
)
INSERT INTO anomaly_notes (anomaly_id, event, by, note)
SELECT anomaly_id, $2, $3, $4 FROM reviewed
RETURNING anomaly_id
