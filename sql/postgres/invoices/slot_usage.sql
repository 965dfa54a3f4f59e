-- What was used in the period of some zones, as the program wrote it.
CREATE TEMP TABLE slot_usage (
    zones_key text NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    events bigint NOT NULL,
    usage text NOT NULL
) ON COMMIT DROP
