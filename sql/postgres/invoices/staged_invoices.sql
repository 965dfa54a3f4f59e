-- The slot's invoices as they were just computed.
CREATE TEMP TABLE staged_invoices (
    invoice_id text COLLATE "C" PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL,
    slot text NOT NULL,
    timezone text NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    status text NOT NULL,
    hold_reason text,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    plan text NOT NULL,
    stripe_customer_id text,
    collection_method text NOT NULL,
    days_until_due integer,
    catalog_version text NOT NULL,
    cutoff_batch bigint NOT NULL,
    input_hash text NOT NULL,
    tzdata_version text NOT NULL,
    carried_minor bigint NOT NULL,
    -- What becomes of it: added, changed, unchanged, submitted (left as it is), or overlapping (one
    -- that was sent, and so not taken).
    outcome text
) ON COMMIT DROP
