-- Alerts leave through an outbox: raised in the transaction of their cause, sent later, at least once.

UPDATE alerts SET state = 'open';
ALTER TABLE alerts
    ALTER state SET DEFAULT 'open',
    ADD CHECK (state IN ('open', 'acknowledged', 'resolved')),
    ALTER created_at SET DEFAULT ledger_clock(),
    -- What routes choose by.
    ADD customer_id text COLLATE "C" GENERATED ALWAYS AS (body ->> 'customer_id') STORED,
    ADD job text COLLATE "C" GENERATED ALWAYS AS (body ->> 'job') STORED,
    -- How often it was raised; once more after it was resolved.
    ADD round integer NOT NULL DEFAULT 1 CHECK (round > 0),
    ADD raised_at timestamptz NOT NULL DEFAULT ledger_clock(),
    ADD acknowledged_at timestamptz,
    ADD acknowledged_by text,
    ADD resolved_at timestamptz,
    -- Whether routes have still to be chosen for what became of it.
    ADD needs_routing boolean NOT NULL DEFAULT true,
    ADD CHECK ((state = 'resolved') = (resolved_at IS NOT NULL));
CREATE INDEX alerts_to_route ON alerts (alert_id) WHERE needs_routing;
CREATE INDEX unresolved_alerts_of_a_subject ON alerts (subject) WHERE state <> 'resolved';

-- What goes out as one: an alert, or a digest of several. Its number never changes, so that a service can
-- tell a repetition.
CREATE SEQUENCE alert_tokens;
CREATE TABLE alert_messages (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    route text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead', 'discarded')),
    created_at timestamptz NOT NULL DEFAULT ledger_clock(),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL DEFAULT ledger_clock(),
    token bigint,
    settled_at timestamptz,
    -- Why it is where it is, in words.
    note text,
    CHECK ((state = 'pending') = (settled_at IS NULL))
);
CREATE INDEX pending_alert_messages ON alert_messages (route, next_attempt_at)
    WHERE state = 'pending';
CREATE INDEX alert_messages_of_a_route ON alert_messages (route, created_at);

-- What a route has to hear of an alert.
CREATE TABLE alert_deliveries (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id bigint NOT NULL REFERENCES alerts,
    round integer NOT NULL,
    route text NOT NULL,
    action text NOT NULL CHECK (action IN ('trigger', 'acknowledge', 'resolve')),
    created_at timestamptz NOT NULL DEFAULT ledger_clock(),
    -- NULL: it waits for its time.
    message_id bigint REFERENCES alert_messages,
    UNIQUE (alert_id, round, route, action)
);
CREATE INDEX waiting_alert_deliveries ON alert_deliveries (route, delivery_id)
    WHERE message_id IS NULL;
CREATE INDEX alert_deliveries_of_a_message ON alert_deliveries (message_id);

-- A dead letter that is retried sends its message again; what follows it waits until it is answered.
CREATE FUNCTION answer_alert_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.resolution = 'retried' THEN
        UPDATE alert_messages SET state = 'pending', attempts = 0, settled_at = NULL, token = NULL,
            next_attempt_at = ledger_clock()
        WHERE message_id = NEW.subject_id::bigint AND state = 'dead';
    ELSE
        UPDATE alert_messages SET state = 'discarded'
        WHERE message_id = NEW.subject_id::bigint AND state = 'dead';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER dead_alerts_are_answered AFTER UPDATE OF resolution ON dead_letters
    FOR EACH ROW WHEN (NEW.kind = 'alert' AND NEW.resolution IS NOT NULL)
    EXECUTE FUNCTION answer_alert_message();
