SELECT event, by, note, (extract(epoch FROM recorded_at) * 1000)::bigint AS recorded_ms
FROM anomaly_notes WHERE anomaly_id = $1 ORDER BY note_id
