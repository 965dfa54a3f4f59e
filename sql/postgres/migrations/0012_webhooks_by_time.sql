-- People list the newest events first.
CREATE INDEX webhook_events_by_time ON webhook_events (received_at DESC, event_id);
