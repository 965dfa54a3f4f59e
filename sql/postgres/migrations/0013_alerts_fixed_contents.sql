-- What a route is told stands with its delivery: a repetition says the same, whatever became of the alert
-- meanwhile.
ALTER TABLE alert_deliveries
    ADD severity text CHECK (severity IN ('info', 'warning', 'critical')),
    ADD body jsonb,
    -- When that was which is told.
    ADD happened_at timestamptz;
UPDATE alert_deliveries SET severity = alerts.severity, body = alerts.body,
    happened_at = CASE action WHEN 'resolve' THEN coalesce(resolved_at, raised_at)
        WHEN 'acknowledge' THEN coalesce(acknowledged_at, raised_at)
        ELSE raised_at END
FROM alerts WHERE alerts.alert_id = alert_deliveries.alert_id;
ALTER TABLE alert_deliveries
    ALTER severity SET NOT NULL,
    ALTER body SET NOT NULL,
    ALTER happened_at SET NOT NULL;

-- What people ended that nothing ends by itself. Alerts are purged; this stays.
CREATE TABLE alert_resolutions (
    resolution_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    by text NOT NULL,
    reason text NOT NULL,
    resolved_at timestamptz NOT NULL DEFAULT ledger_clock()
);
CREATE INDEX resolutions_of_an_alert ON alert_resolutions (key, resolution_id);
CREATE TRIGGER alert_resolutions_are_append_only BEFORE UPDATE OR DELETE ON alert_resolutions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alert_resolutions_cannot_be_emptied BEFORE TRUNCATE ON alert_resolutions
    EXECUTE FUNCTION refuse_change();
