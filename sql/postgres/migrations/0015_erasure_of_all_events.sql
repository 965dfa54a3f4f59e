-- Erasure reaches whatever is settled: also what was about somebody else's object, and what was given up.
DROP TRIGGER webhook_payloads_stay_or_are_erased ON webhook_events;
CREATE TRIGGER webhook_payloads_stay_or_are_erased BEFORE UPDATE OF payload ON webhook_events
    FOR EACH ROW WHEN (OLD.state = 'pending' OR NEW.payload <> '{"erased":true}')
    EXECUTE FUNCTION refuse_change();
