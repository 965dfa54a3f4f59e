-- Sealed usage: which batches of rows count. ClickHouse holds the rows; this is their only clock.

-- Who works on something that one process does at a time. A token is never given out twice.
CREATE TABLE leases (
    name text PRIMARY KEY,
    token bigint NOT NULL,
    holder text NOT NULL,
    acquired_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);

-- A set of tables in ClickHouse. One is active; a rebuild makes another.
CREATE TABLE usage_generations (
    generation integer PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the contents of the whole log were last compared with what was accounted for.
    swept_at timestamptz
);
CREATE UNIQUE INDEX one_generation_is_active ON usage_generations (state) WHERE state = 'active';
INSERT INTO usage_generations (generation, state) VALUES (1, 'active');

CREATE SEQUENCE usage_batch_numbers;
CREATE TABLE usage_batches (
    batch bigint PRIMARY KEY DEFAULT nextval('usage_batch_numbers'),
    generation integer NOT NULL REFERENCES usage_generations,
    -- Rows of a batch count once it is sealed, and only then.
    state text NOT NULL CHECK (state IN ('open', 'sealed', 'abandoned')),
    holder text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sealed_at timestamptz,
    events bigint,
    duplicates bigint,
    conflicts bigint,
    quarantined bigint,
    -- [{month, events, duplicates, conflicts}], by UTC month of the rows that count.
    months jsonb,
    CHECK ((state = 'sealed') = (sealed_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_batch_is_open ON usage_batches (state) WHERE state = 'open';

CREATE FUNCTION keep_sealed_batches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR OLD.state <> 'open' THEN
        RAISE EXCEPTION 'usage batch % is %: % is refused', OLD.batch, OLD.state, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sealed_batches_stay BEFORE UPDATE OR DELETE ON usage_batches
    FOR EACH ROW EXECUTE FUNCTION keep_sealed_batches();
CREATE TRIGGER usage_batches_cannot_be_emptied BEFORE TRUNCATE ON usage_batches
    EXECUTE FUNCTION refuse_change();

-- Which metrics are rolled up, and under which key: a backfill that died is never ready.
CREATE TABLE usage_metrics (
    generation integer NOT NULL REFERENCES usage_generations,
    metric_key text NOT NULL,
    build integer NOT NULL,
    -- What its rows are called in ClickHouse; a count may share the rollup of a sum.
    rollup_key text NOT NULL,
    is_ready boolean NOT NULL,
    PRIMARY KEY (generation, metric_key, build)
);
CREATE UNIQUE INDEX one_build_is_ready ON usage_metrics (generation, metric_key) WHERE is_ready;

-- Rows of the log that cannot be billed as they are.
CREATE TABLE quarantine (
    generation integer NOT NULL REFERENCES usage_generations,
    batch bigint NOT NULL REFERENCES usage_batches,
    quarantine_id text COLLATE "C" NOT NULL,
    -- What is no text is written in hexadecimal.
    customer_id text COLLATE "C" NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    event_type text NOT NULL,
    event_at timestamptz NOT NULL,
    ingested_at timestamptz NOT NULL,
    properties text NOT NULL,
    reasons text NOT NULL,
    -- How many such rows there are.
    copies bigint NOT NULL,
    -- A person's word that nothing more is to be done about it.
    released_at timestamptz,
    released_by text,
    release_reason text,
    PRIMARY KEY (generation, quarantine_id, batch),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK ((released_at IS NULL) = (release_reason IS NULL))
);
CREATE INDEX quarantine_of_a_time ON quarantine (generation, event_at, customer_id);
