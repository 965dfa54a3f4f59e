-- The ledger: who the customers are, what things cost, and every invoice with its journal.

-- The EXCLUDE constraint below compares text and ranges in one index.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- What is written into a journal stays as it is.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'Add a new row that says what changed.';
END $$;

-- One row: the identity of this ledger. It goes into every invoice id, so that two ledgers never
-- make the same one.
CREATE TABLE ledger (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    ledger_id uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ledger DEFAULT VALUES;
CREATE TRIGGER ledger_is_immutable BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_cannot_be_emptied BEFORE TRUNCATE ON ledger
    EXECUTE FUNCTION refuse_change();

CREATE TABLE catalog_versions (
    version text PRIMARY KEY,
    effective_from date NOT NULL UNIQUE,
    source text NOT NULL,
    source_sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER catalog_versions_are_immutable BEFORE UPDATE OR DELETE ON catalog_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER catalog_versions_cannot_be_emptied BEFORE TRUNCATE ON catalog_versions
    EXECUTE FUNCTION refuse_change();

-- Who is billed, and how to reach them: the present state.
CREATE TABLE customers (
    customer_id text COLLATE "C" PRIMARY KEY CHECK (customer_id <> ''),
    -- Deferred: one file may exchange those of two customers.
    stripe_customer_id text
        CONSTRAINT one_customer_a_stripe_customer UNIQUE DEFERRABLE INITIALLY DEFERRED,
    email text,
    active_from date,
    active_until date CHECK (active_until > active_from),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- What was agreed with them, with its history: a period is priced by the terms in force on the first
-- day of its month. Among terms of one day the last recorded counts.
CREATE TABLE customer_terms (
    term_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL REFERENCES customers,
    effective_from date NOT NULL,
    plan text NOT NULL,
    currency text NOT NULL CHECK (currency = lower(currency)),
    timezone text NOT NULL,
    collection_method text NOT NULL
        CHECK (collection_method IN ('send_invoice', 'charge_automatically')),
    days_until_due integer CHECK (days_until_due >= 0),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (collection_method = 'charge_automatically' OR days_until_due IS NOT NULL)
);
CREATE INDEX customer_terms_in_force ON customer_terms (customer_id, effective_from, term_id);
CREATE TRIGGER customer_terms_are_append_only BEFORE UPDATE OR DELETE ON customer_terms
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER customer_terms_cannot_be_emptied BEFORE TRUNCATE ON customer_terms
    EXECUTE FUNCTION refuse_change();

CREATE TABLE invoices (
    invoice_id text COLLATE "C" PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL,
    slot text NOT NULL CHECK (slot ~ '^\d{4}-\d{2}$'),
    timezone text NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL CHECK (period_end > period_start),
    kind text NOT NULL CHECK (kind IN ('regular')),
    revision integer NOT NULL CHECK (revision >= 0),
    -- NULL until its submission to Stripe starts; what was submitted is never computed again.
    mode text CHECK (mode IN ('test', 'live')),
    status text NOT NULL CHECK (status IN (
        'computed', 'skipped_zero', 'carried', 'superseded', 'submitting', 'open',
        'payment_failed', 'paid', 'void', 'uncollectible')),
    hold_reason text,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    plan text NOT NULL,
    stripe_customer_id text,
    collection_method text NOT NULL,
    days_until_due integer,
    stripe_invoice_id text UNIQUE,
    catalog_version text NOT NULL REFERENCES catalog_versions,
    -- The last batch of sealed usage that was counted; NULL: read straight from the events.
    cutoff_batch bigint,
    -- SHA-256 of all that the amounts follow from: catalog, terms, period, quantities.
    input_hash text NOT NULL,
    tzdata_version text NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (mode IS NOT NULL OR status IN ('computed', 'skipped_zero', 'carried', 'superseded')),
    UNIQUE (customer_id, period_start, period_end, kind, revision),
    -- Nobody is billed twice for the same instant. By 128 bits of hash, which are compared a few times
    -- faster than text: two customers that share them could refuse each other, never overlap unseen.
    CONSTRAINT periods_of_a_customer_do_not_overlap
        EXCLUDE USING gist (CAST(md5(customer_id) AS uuid) WITH =, tstzrange(period_start, period_end) WITH &&)
        WHERE (kind = 'regular' AND status <> 'superseded')
);
CREATE INDEX invoices_of_a_slot ON invoices (slot, customer_id);

CREATE TABLE invoice_lines (
    invoice_id text COLLATE "C" NOT NULL REFERENCES invoices,
    position integer NOT NULL CHECK (position >= 0),
    line_id text COLLATE "C" NOT NULL UNIQUE,
    -- The metric's code; NULL for a base fee or what fills up to the minimum.
    metric text,
    quantity numeric,
    amount_minor bigint NOT NULL,
    description text NOT NULL,
    -- What each tier contributed: [{up_to, quantity, unit_amount, flat_amount}], decimal strings.
    tiers jsonb NOT NULL,
    PRIMARY KEY (invoice_id, position)
);

CREATE FUNCTION check_invoice_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint := (SELECT total_minor FROM invoices WHERE invoice_id = NEW.invoice_id);
    lines numeric := (
        SELECT coalesce(sum(amount_minor), 0) FROM invoice_lines
        WHERE invoice_id = NEW.invoice_id);
BEGIN
    IF total <> lines THEN
        RAISE EXCEPTION 'invoice %: the lines add up to %, the total says %', NEW.invoice_id, lines, total
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER total_is_the_sum_of_lines
    AFTER INSERT OR UPDATE ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_invoice_total();

-- Lines that change have their invoice checked when the transaction ends, too. One check an invoice is
-- enough: those that this transaction wrote itself are checked already.
CREATE FUNCTION check_total_of_changed_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        UPDATE invoices SET total_minor = total_minor
        WHERE invoice_id IN (SELECT invoice_id FROM new_lines)
            AND xmin <> pg_current_xact_id()::xid;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE invoices SET total_minor = total_minor
        WHERE invoice_id IN (SELECT invoice_id FROM old_lines)
            AND xmin <> pg_current_xact_id()::xid;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER inserted_lines_add_up AFTER INSERT ON invoice_lines
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION check_total_of_changed_lines();
CREATE TRIGGER updated_lines_add_up AFTER UPDATE ON invoice_lines
    REFERENCING OLD TABLE AS old_lines NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION check_total_of_changed_lines();
CREATE TRIGGER deleted_lines_add_up AFTER DELETE ON invoice_lines
    REFERENCING OLD TABLE AS old_lines
    FOR EACH STATEMENT EXECUTE FUNCTION check_total_of_changed_lines();

-- The journal: everything that happened to an invoice, in order.
CREATE TABLE invoice_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    invoice_id text COLLATE "C" NOT NULL REFERENCES invoices,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    event text NOT NULL,
    status text NOT NULL,
    hold_reason text,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    catalog_version text NOT NULL,
    cutoff_batch bigint,
    input_hash text NOT NULL
);
CREATE INDEX invoice_events_of_an_invoice ON invoice_events (invoice_id, event_id);
CREATE TRIGGER invoice_events_are_append_only BEFORE UPDATE OR DELETE ON invoice_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_events_cannot_be_emptied BEFORE TRUNCATE ON invoice_events
    EXECUTE FUNCTION refuse_change();
