-- A customer who asks for it is forgotten, but for what money hangs on.
ALTER TABLE customers
    ADD erased_at timestamptz,
    ADD erased_by text,
    ADD erasure_reason text,
    ADD CONSTRAINT the_erased_have_no_email CHECK (erased_at IS NULL OR email IS NULL);

-- What Stripe sent stays as it came, until it is erased.
DROP TRIGGER webhook_events_stay_as_they_came ON webhook_events;
CREATE TRIGGER webhook_events_stay_as_they_came
    BEFORE UPDATE OF event_id, received_at, source, type, api_version, livemode, account,
        object_id ON webhook_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_payloads_stay_or_are_erased BEFORE UPDATE OF payload ON webhook_events
    FOR EACH ROW WHEN (OLD.state NOT IN ('processed', 'ignored') OR NEW.payload <> '{"erased":true}')
    EXECUTE FUNCTION refuse_change();
