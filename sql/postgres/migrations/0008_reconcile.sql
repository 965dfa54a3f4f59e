-- Reconciliation has an invoice read again as an event of Stripe would.
ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_source_check,
    ADD CONSTRAINT webhook_events_source_check CHECK (source IN ('endpoint', 'backfill', 'reconcile'));
