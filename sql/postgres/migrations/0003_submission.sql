-- Submission to Stripe: every invoice there exactly once, whoever is killed and whenever.

-- The one clock that says how old a claim or a request is. The hosts' clocks are not asked.
CREATE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT clock_timestamp() $$;

-- What a row says once is filled in once: a column may go from NULL to a value, and stays.
CREATE FUNCTION keep_what_is_filled_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    filled jsonb := jsonb_strip_nulls(to_jsonb(OLD));
BEGIN
    IF TG_OP <> 'UPDATE' OR NOT to_jsonb(NEW) @> filled THEN
        RAISE EXCEPTION '% is a journal: % of what is filled in is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- The Stripe account that this ledger bills into: bound before the first invoice, for ever.
CREATE TABLE stripe_account (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    bound_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER stripe_account_is_immutable BEFORE UPDATE OR DELETE ON stripe_account
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stripe_account_cannot_be_emptied BEFORE TRUNCATE ON stripe_account
    EXECUTE FUNCTION refuse_change();

CREATE SEQUENCE claim_tokens;
ALTER TABLE invoices
    -- How far the submission has come; each is committed before the next request goes out.
    ADD recovery_point text CHECK (recovery_point IN
        ('draft_created', 'lines_added', 'verified', 'finalized', 'collected')),
    -- Counts the drafts that were made for this invoice: a new one gets keys of its own.
    ADD draft_epoch integer NOT NULL DEFAULT 0 CHECK (draft_epoch >= 0),
    -- Who works on the invoice. Every write of its submission names the token.
    ADD claim_token bigint,
    ADD claim_expires_at timestamptz,
    ADD claimed_by text,
    -- A hold that computing again does not lift: a person's, or the submission's.
    ADD standing_hold text,
    -- What earlier periods left over, and this invoice charges.
    ADD carried_minor bigint NOT NULL DEFAULT 0 CHECK (carried_minor >= 0),
    ADD CHECK (recovery_point IS NULL OR stripe_invoice_id IS NOT NULL),
    ADD CHECK (mode IS NOT NULL OR (recovery_point IS NULL AND stripe_invoice_id IS NULL));
CREATE INDEX unfinished_invoices ON invoices (slot, customer_id, invoice_id)
    WHERE status = 'computed'
        OR status IN ('submitting', 'open', 'payment_failed')
            AND recovery_point IS DISTINCT FROM 'collected';

ALTER TABLE invoice_events ADD detail text, ADD actor text;

CREATE TABLE invoice_moves (from_status text, to_status text, PRIMARY KEY (from_status, to_status));
INSERT INTO invoice_moves VALUES
    ('computed', 'skipped_zero'), ('computed', 'carried'), ('computed', 'superseded'),
    ('computed', 'submitting'),
    ('skipped_zero', 'computed'), ('skipped_zero', 'carried'), ('skipped_zero', 'superseded'),
    ('carried', 'computed'), ('carried', 'skipped_zero'), ('carried', 'superseded'),
    ('superseded', 'computed'), ('superseded', 'skipped_zero'), ('superseded', 'carried'),
    ('submitting', 'open'), ('submitting', 'payment_failed'), ('submitting', 'paid'),
    ('submitting', 'void'), ('submitting', 'uncollectible'),
    ('open', 'payment_failed'), ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
    ('payment_failed', 'open'), ('payment_failed', 'paid'), ('payment_failed', 'void'),
    ('payment_failed', 'uncollectible'),
    ('uncollectible', 'paid'), ('uncollectible', 'void');
CREATE TRIGGER invoice_moves_are_immutable BEFORE UPDATE OR DELETE ON invoice_moves
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_invoice_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.mode IS NOT NULL AND (NEW.mode IS DISTINCT FROM OLD.mode
        OR (NEW.customer_id, NEW.slot, NEW.period_start, NEW.period_end, NEW.currency, NEW.total_minor,
            NEW.catalog_version, NEW.input_hash, NEW.carried_minor)
        IS DISTINCT FROM (OLD.customer_id, OLD.slot, OLD.period_start, OLD.period_end, OLD.currency,
            OLD.total_minor, OLD.catalog_version, OLD.input_hash, OLD.carried_minor))
    THEN
        RAISE EXCEPTION 'invoice % was submitted: what it charges is fixed', OLD.invoice_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status AND (
        OLD.mode IS NOT NULL AND OLD.status = 'carried'
        OR NOT EXISTS (
            SELECT FROM invoice_moves
            WHERE from_status = OLD.status AND to_status = NEW.status))
    THEN
        RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.invoice_id, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoices_move_legally BEFORE UPDATE ON invoices
    FOR EACH ROW EXECUTE FUNCTION check_invoice_move();

CREATE FUNCTION keep_submitted_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM old_lines JOIN invoices USING (invoice_id) WHERE mode IS NOT NULL)
    THEN
        RAISE EXCEPTION 'the lines of a submitted invoice are fixed: % is refused', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER deleted_lines_were_not_submitted AFTER DELETE ON invoice_lines
    REFERENCING OLD TABLE AS old_lines
    FOR EACH STATEMENT EXECUTE FUNCTION keep_submitted_lines();
CREATE TRIGGER updated_lines_were_not_submitted AFTER UPDATE ON invoice_lines
    REFERENCING OLD TABLE AS old_lines
    FOR EACH STATEMENT EXECUTE FUNCTION keep_submitted_lines();

-- What customers owe from periods too small to be charged. The sum is what the next invoice takes.
CREATE TABLE balance_entries (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL,
    currency text NOT NULL,
    slot text NOT NULL,
    invoice_id text COLLATE "C" NOT NULL REFERENCES invoices,
    kind text NOT NULL CHECK (kind IN ('carried', 'applied', 'restored')),
    amount_minor bigint NOT NULL
        CHECK (amount_minor <> 0 AND (amount_minor < 0) = (kind = 'applied')),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (invoice_id, kind)
);
CREATE INDEX balance_of_a_customer ON balance_entries (customer_id, currency, slot);
CREATE TRIGGER balance_entries_are_append_only BEFORE UPDATE OR DELETE ON balance_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER balance_entries_cannot_be_emptied BEFORE TRUNCATE ON balance_entries
    EXECUTE FUNCTION refuse_change();

-- An invoice that is void charges nothing: what it had taken is owed again.
CREATE FUNCTION restore_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO balance_entries (customer_id, currency, slot, invoice_id, kind, amount_minor)
    VALUES (NEW.customer_id, NEW.currency, NEW.slot, NEW.invoice_id, 'restored', NEW.carried_minor);
    RETURN NULL;
END $$;
CREATE TRIGGER void_invoices_restore_the_balance AFTER UPDATE OF status ON invoices
    FOR EACH ROW WHEN (NEW.status = 'void' AND OLD.status <> 'void' AND NEW.carried_minor > 0)
    EXECUTE FUNCTION restore_balance();

-- The idempotency ledger: every POST to Stripe, stored before it is sent. Replays send these bytes.
CREATE TABLE stripe_requests (
    idempotency_key text COLLATE "C" PRIMARY KEY,
    invoice_id text COLLATE "C" NOT NULL REFERENCES invoices,
    step text NOT NULL CHECK (step IN
        ('create', 'add_lines', 'finalize', 'send', 'collect', 'pay', 'void')),
    epoch integer NOT NULL CHECK (epoch >= 0),
    path text NOT NULL,
    body text NOT NULL,
    body_sha256 text NOT NULL,
    first_sent_at timestamptz NOT NULL,
    -- NULL: not known. done: what it asked for is so; burned: its answer is an error that Stripe
    -- stored; refused: it was not carried out; replaced: set aside, and looked up instead.
    outcome text CHECK (outcome IN ('done', 'burned', 'refused', 'replaced')),
    object_id text,
    answered_at timestamptz,
    UNIQUE (invoice_id, step, epoch)
);
CREATE TRIGGER stripe_requests_stay BEFORE UPDATE OR DELETE ON stripe_requests
    FOR EACH ROW EXECUTE FUNCTION keep_what_is_filled_in();
CREATE TRIGGER stripe_requests_cannot_be_emptied BEFORE TRUNCATE ON stripe_requests
    EXECUTE FUNCTION refuse_change();

-- Each time that a request went out, and what came back.
CREATE TABLE stripe_attempts (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key text COLLATE "C" NOT NULL REFERENCES stripe_requests,
    claim_token bigint NOT NULL,
    sent_by text NOT NULL,
    sent_at timestamptz NOT NULL,
    answered_at timestamptz,
    http_status integer,
    stripe_request_id text,
    is_replayed boolean,
    -- What was wrong, in words; NULL beside an answer: nothing.
    error text
);
CREATE INDEX attempts_of_a_request ON stripe_attempts (idempotency_key, attempt_id);
CREATE TRIGGER stripe_attempts_stay BEFORE UPDATE OR DELETE ON stripe_attempts
    FOR EACH ROW EXECUTE FUNCTION keep_what_is_filled_in();
CREATE TRIGGER stripe_attempts_cannot_be_emptied BEFORE TRUNCATE ON stripe_attempts
    EXECUTE FUNCTION refuse_change();

-- What was given up until a person has looked.
CREATE TABLE dead_letters (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('invoice', 'webhook', 'alert')),
    subject_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolution text CHECK (resolution IN ('retried', 'discarded')),
    resolved_by text,
    resolve_reason text,
    CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
);
CREATE UNIQUE INDEX one_open_dead_letter ON dead_letters (kind, subject_id)
    WHERE resolved_at IS NULL;
CREATE TRIGGER dead_letters_stay BEFORE UPDATE OR DELETE ON dead_letters
    FOR EACH ROW EXECUTE FUNCTION keep_what_is_filled_in();

-- While one is open, no new request goes to Stripe.
CREATE TABLE billing_pauses (
    pause_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    paused_at timestamptz NOT NULL DEFAULT now(),
    paused_by text NOT NULL,
    reason text NOT NULL,
    resumed_at timestamptz,
    resumed_by text,
    CHECK ((resumed_at IS NULL) = (resumed_by IS NULL))
);
CREATE UNIQUE INDEX one_pause_at_a_time ON billing_pauses ((true)) WHERE resumed_at IS NULL;
CREATE TRIGGER billing_pauses_stay BEFORE UPDATE OR DELETE ON billing_pauses
    FOR EACH ROW EXECUTE FUNCTION keep_what_is_filled_in();

-- How the months stand, for people.
CREATE VIEW billing_status AS
SELECT slot, invoices.status, mode, coalesce(standing_hold, hold_reason) AS held,
    dead_letter_id IS NOT NULL AS is_dead_letter, currency, count(*) AS invoices,
    sum(total_minor) AS total_minor
FROM invoices
LEFT JOIN dead_letters
    ON dead_letters.kind = 'invoice' AND subject_id = invoice_id AND resolved_at IS NULL
WHERE invoices.status <> 'superseded'
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6;
