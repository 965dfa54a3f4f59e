-- How long Stripe's limits kept a request waiting before it was sent.
ALTER TABLE stripe_attempts ADD COLUMN waited_ms integer NOT NULL DEFAULT 0;
-- Attempts come in order of time: a day of them is found without an index of them all.
CREATE INDEX attempts_by_time ON stripe_attempts USING brin (sent_at) WITH (pages_per_range = 32);

-- Each attempt as monitoring counts it. place: in which bucket of the histogram its answer lies; 0: none came.
CREATE VIEW stripe_attempt_facts AS
SELECT sent_at, answered_at, (sent_at AT TIME ZONE 'UTC')::date AS day,
    CASE WHEN http_status IS NOT NULL THEN http_status::text
        WHEN answered_at IS NULL THEN 'unknown' ELSE 'unreachable' END AS outcome,
    CASE WHEN answered_at IS NULL THEN 0
        ELSE width_bucket(extract(epoch FROM answered_at - sent_at),
            ARRAY[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]::numeric[]) + 1 END AS place,
    coalesce(extract(epoch FROM answered_at - sent_at), 0) AS seconds,
    waited_ms / 1000.0 AS waited_seconds
FROM stripe_attempts;

-- Their sums, of days that are over: whoever asks every few seconds does not count years of them.
CREATE TABLE stripe_totals (
    day date NOT NULL,
    outcome text NOT NULL,
    place integer NOT NULL,
    requests bigint NOT NULL,
    seconds numeric NOT NULL,
    waited_seconds numeric NOT NULL,
    PRIMARY KEY (day, outcome, place)
);
