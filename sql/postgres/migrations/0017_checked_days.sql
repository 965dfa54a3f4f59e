-- Days that were held against their weekdays. Usage of theirs that comes later is looked at again.
CREATE TABLE detection_checked_days (
    -- Since 1970-01-01.
    day bigint PRIMARY KEY,
    -- Up to which batch usage was known.
    generation integer NOT NULL,
    cutoff_batch bigint NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now()
);
