-- What a month that was sent would come to otherwise. What was sent stays; one invoice or credit note more
-- makes up for it, once a person has approved.
ALTER TABLE invoices DROP CONSTRAINT invoices_kind_check;
ALTER TABLE invoices ADD CONSTRAINT invoices_kind_check CHECK (kind IN ('regular', 'supplementary'));
ALTER TABLE stripe_requests DROP CONSTRAINT stripe_requests_step_check;
ALTER TABLE stripe_requests ADD CONSTRAINT stripe_requests_step_check CHECK (step IN
    ('create', 'add_lines', 'finalize', 'send', 'collect', 'pay', 'void', 'credit_note'));

CREATE TABLE proposals (
    proposal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The invoice that was sent.
    invoice_id text COLLATE "C" NOT NULL REFERENCES invoices,
    -- Counts the proposals of an invoice: it is in the names of what comes of them.
    number integer NOT NULL CHECK (number > 0),
    kind text NOT NULL CHECK (kind IN ('supplementary', 'credit_note')),
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    -- The last batch of sealed usage that was counted.
    cutoff_batch bigint NOT NULL,
    -- SHA-256 of the invoice's inputs, the cut-off and the lines.
    input_hash text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    proposed_by text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'withdrawn', 'approved', 'rejected')),
    decided_at timestamptz,
    decided_by text,
    reason text,
    -- What came of an approved one: an invoice, or Stripe's credit note once it is made.
    supplementary_id text COLLATE "C" UNIQUE REFERENCES invoices,
    stripe_credit_note_id text UNIQUE,
    UNIQUE (invoice_id, number),
    CHECK ((status = 'open') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (reason IS NULL)),
    CHECK ((supplementary_id IS NOT NULL) = (kind = 'supplementary' AND status = 'approved')),
    CHECK (stripe_credit_note_id IS NULL OR kind = 'credit_note' AND status = 'approved')
);
CREATE UNIQUE INDEX one_open_proposal_an_invoice ON proposals (invoice_id) WHERE status = 'open';
CREATE INDEX credit_notes_to_make ON proposals (proposal_id)
    WHERE kind = 'credit_note' AND status = 'approved' AND stripe_credit_note_id IS NULL;

-- By how much each line of the invoice would be another one.
CREATE TABLE proposal_lines (
    proposal_id bigint NOT NULL REFERENCES proposals,
    position integer NOT NULL CHECK (position >= 0),
    -- The invoice's own line, or the one that it would have.
    line_id text COLLATE "C" NOT NULL,
    metric text,
    quantity numeric,
    amount_minor bigint NOT NULL,
    description text NOT NULL,
    PRIMARY KEY (proposal_id, position),
    UNIQUE (proposal_id, line_id)
);

-- What was proposed is fixed, and decided once.
CREATE FUNCTION keep_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status NOT IN ('open', NEW.status)
        OR (NEW.invoice_id, NEW.number, NEW.kind, NEW.currency, NEW.amount_minor, NEW.cutoff_batch, NEW.input_hash)
            IS DISTINCT FROM
            (OLD.invoice_id, OLD.number, OLD.kind, OLD.currency, OLD.amount_minor, OLD.cutoff_batch, OLD.input_hash)
        OR OLD.supplementary_id <> NEW.supplementary_id OR OLD.stripe_credit_note_id <> NEW.stripe_credit_note_id
    THEN
        RAISE EXCEPTION 'proposal % is %: % is refused', OLD.proposal_id, OLD.status, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposals_are_decided_once BEFORE UPDATE OR DELETE ON proposals
    FOR EACH ROW EXECUTE FUNCTION keep_proposal();
CREATE TRIGGER proposals_cannot_be_emptied BEFORE TRUNCATE ON proposals EXECUTE FUNCTION refuse_change();
CREATE TRIGGER proposal_lines_are_append_only BEFORE UPDATE OR DELETE ON proposal_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER proposal_lines_cannot_be_emptied BEFORE TRUNCATE ON proposal_lines
    EXECUTE FUNCTION refuse_change();
