-- The inbox of Stripe's events, and what they say of invoices.

-- How often an event was tried by whom is told by the token: every writer names the one it took.
CREATE SEQUENCE webhook_tokens;
CREATE TABLE webhook_events (
    event_id text COLLATE "C" PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT ledger_clock(),
    -- How it came first: sent to the endpoint, or found in Stripe's list.
    source text NOT NULL CHECK (source IN ('endpoint', 'backfill')),
    type text NOT NULL,
    -- NULL: a thin event, which has no version.
    api_version text,
    livemode boolean NOT NULL,
    -- The connected account that it is of; NULL: the endpoint's own.
    account text,
    object_id text,
    -- As it came, to the byte.
    payload text NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'processed', 'ignored', 'foreign', 'dead')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL DEFAULT ledger_clock(),
    token bigint,
    settled_at timestamptz,
    -- Why it is where it is, in words.
    note text,
    invoice_id text COLLATE "C" REFERENCES invoices,
    CHECK ((state = 'pending') = (settled_at IS NULL))
);
CREATE INDEX pending_webhook_events ON webhook_events (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_events_of_an_invoice ON webhook_events (invoice_id)
    WHERE invoice_id IS NOT NULL;
CREATE TRIGGER webhook_events_stay_as_they_came
    BEFORE UPDATE OF event_id, received_at, source, type, api_version, livemode, account,
        object_id, payload ON webhook_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- How far Stripe's list of events was read.
CREATE TABLE event_cursor (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    event_id text NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE invoices
    ADD is_overdue boolean NOT NULL DEFAULT false,
    ADD dispute_status text CHECK (dispute_status IN ('open', 'won', 'lost')),
    ADD refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    ADD credited_minor bigint NOT NULL DEFAULT 0 CHECK (credited_minor >= 0);
-- The event of Stripe that an entry of the journal is about.
ALTER TABLE invoice_events ADD stripe_event_id text COLLATE "C";

-- What a person should hear of, once for each key.
CREATE TABLE alerts (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL UNIQUE,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    subject text NOT NULL,
    body jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'pending'
);

-- A dead letter that is retried puts its event back among the pending ones.
CREATE FUNCTION retry_webhook_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_events SET state = 'pending', attempts = 0, settled_at = NULL, token = NULL,
        next_attempt_at = ledger_clock()
    WHERE event_id = NEW.subject_id;
    RETURN NULL;
END $$;
CREATE TRIGGER retried_webhooks_are_pending AFTER UPDATE OF resolution ON dead_letters
    FOR EACH ROW WHEN (NEW.kind = 'webhook' AND NEW.resolution = 'retried')
    EXECUTE FUNCTION retry_webhook_event();
