INSERT INTO event_cursor (event_id) VALUES ($1)
ON CONFLICT (singleton) DO UPDATE SET event_id = excluded.event_id, read_at = now()
