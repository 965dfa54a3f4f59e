CREATE TEMP TABLE staged_lines (
    invoice_id text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    line_id text COLLATE "C" NOT NULL,
    metric text,
    quantity numeric,
    amount_minor bigint NOT NULL,
    description text NOT NULL,
    tiers jsonb NOT NULL,
    events bigint
) ON COMMIT DROP
