-- Reconciliation has an invoice read again as an event of Stripe would.
ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_source_check,
    ADD CONSTRAINT webhook_events_source_check CHECK (source IN ('endpoint', 'backfill', 'reconcile'));

-- What has served its time is found without reading the rest.
CREATE INDEX settled_webhook_events ON webhook_events (settled_at)
    WHERE state IN ('processed', 'ignored', 'foreign');
CREATE INDEX finished_job_attempts ON job_attempts (finished_at);
CREATE INDEX resolved_alerts ON alerts (resolved_at) WHERE state = 'resolved';
CREATE INDEX closed_anomalies ON anomalies (expires_at) WHERE closed_at IS NOT NULL;
