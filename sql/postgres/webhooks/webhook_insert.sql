-- Takes an event as it came; one that is known already stays as it is.
INSERT INTO webhook_events
    (event_id, source, type, api_version, livemode, account, object_id, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (event_id) DO NOTHING
