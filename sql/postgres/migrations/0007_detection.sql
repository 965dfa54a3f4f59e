-- Detection: which states count, what was found, and what people said about it.

-- A version of states (and of baselines) is given out once; its rows in ClickHouse count once it is
-- recorded here, under the lease of whoever computed it.
CREATE SEQUENCE detection_versions;

-- How far the states have come, and the days' beginnings that are kept for late data. The last position
-- is where the next run goes on; of several versions the latest holds for a series.
CREATE TABLE detection_positions (
    -- Hours since 1970 of the next hour to be judged, doubled; and 1, if the day's baselines are made.
    position bigint NOT NULL,
    version bigint NOT NULL,
    -- Up to which batch usage is in the states.
    generation integer NOT NULL,
    cutoff_batch bigint NOT NULL,
    -- How many series there are that had usage in the last 14 days.
    active_series bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (position, version)
);

-- Hours in which the whole fleet was silent: nobody knows what was used.
CREATE TABLE detection_missing_hours (hour_index bigint PRIMARY KEY);

CREATE TABLE anomalies (
    anomaly_id text COLLATE "C" PRIMARY KEY,
    -- NULL: many customers at once, of kind fleet.
    customer_id text COLLATE "C",
    metric_key text COLLATE "C" NOT NULL,
    metric text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('volume', 'pattern', 'both', 'fleet')),
    severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
    direction text NOT NULL CHECK (direction IN ('up', 'down', 'stopped')),
    -- acknowledged: a person says that it is real. withdrawn: late data showed that there is nothing.
    status text NOT NULL DEFAULT 'open'
        CHECK (status IN ('open', 'acknowledged', 'resolved', 'dismissed', 'withdrawn')),
    -- The episode, and its worst hour; for a pattern: days.
    first_hour timestamptz NOT NULL,
    last_hour timestamptz NOT NULL CHECK (last_hour >= first_hour),
    peak_hour timestamptz NOT NULL,
    score double precision NOT NULL,
    threshold double precision NOT NULL,
    -- The share of ordinary hours that score as high.
    tail_probability double precision,
    expected double precision NOT NULL,
    expected_low double precision,
    expected_high double precision,
    observed double precision NOT NULL,
    -- Observed less expected, summed over the hours that reached the threshold: how many, see hours.
    excess double precision NOT NULL,
    -- Of a pattern: the cosine of the day's hours and its weekday's.
    similarity double precision,
    hours integer NOT NULL,
    -- Of kind fleet: how many series at the peak.
    series bigint,
    method text NOT NULL,
    part text,
    recommended_action text NOT NULL,
    -- A person said that it is real; none, or false: not, or not yet.
    is_confirmed boolean NOT NULL DEFAULT false,
    -- Recorded, but nobody is alerted: muted, or within a planned event.
    is_muted boolean NOT NULL DEFAULT false,
    found_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    close_reason text,
    expires_at timestamptz NOT NULL,
    CHECK ((kind = 'fleet') = (customer_id IS NULL)),
    CHECK ((status IN ('open', 'acknowledged')) = (closed_at IS NULL))
);
CREATE UNIQUE INDEX one_open_episode
    ON anomalies (coalesce(customer_id, ''), metric_key, kind,
        (CASE WHEN kind = 'fleet' THEN direction = 'up' END),
        (CASE WHEN kind = 'fleet' THEN method = 'pattern' END)) NULLS NOT DISTINCT
    WHERE closed_at IS NULL;
CREATE INDEX anomalies_of_a_series ON anomalies (customer_id, metric_key, last_hour);
CREATE INDEX anomalies_by_hour ON anomalies (last_hour);
CREATE INDEX expiring_anomalies ON anomalies (expires_at) WHERE closed_at IS NOT NULL;

-- What people said, and when; it is not taken back.
CREATE TABLE anomaly_notes (
    note_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    anomaly_id text COLLATE "C" NOT NULL REFERENCES anomalies ON DELETE CASCADE,
    event text NOT NULL CHECK (event IN (
        'acknowledged', 'resolved', 'dismissed', 'recovered', 'withdrawn', 'changed', 'reopened')),
    by text NOT NULL,
    note text,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notes_of_an_anomaly ON anomaly_notes (anomaly_id, note_id);
CREATE TRIGGER anomaly_notes_are_append_only BEFORE UPDATE ON anomaly_notes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Nobody is alerted of these, until then. NULL: of any customer; of any metric.
CREATE TABLE anomaly_mutes (
    mute_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text COLLATE "C",
    metric text COLLATE "C",
    -- A planned event: a launch, a holiday, a migration.
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    by text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL GENERATED ALWAYS AS (ends_at) STORED
);

-- What a normal Monday, Tuesday, ... looks like. The rows are in ClickHouse, and never changed.
CREATE TABLE baseline_versions (
    version bigint PRIMARY KEY,
    -- The ISO week after which it was made, and the first and last day that it rests on.
    slot text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    -- active: judged by. retired: was. refused: drifted too far for a person not to look at it.
    state text NOT NULL CHECK (state IN ('active', 'retired', 'refused')),
    baselines bigint NOT NULL,
    -- Drifted too far: what was in force before holds on for them until a person approves.
    drifted bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    promoted_at timestamptz,
    promoted_by text,
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_version_is_active ON baseline_versions (state) WHERE state = 'active';

-- Growth that a person has looked at; NULL: of every customer.
CREATE TABLE baseline_approvals (
    version bigint NOT NULL REFERENCES baseline_versions ON DELETE CASCADE,
    customer_id text COLLATE "C",
    by text NOT NULL,
    reason text NOT NULL,
    approved_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW open_anomalies AS
SELECT to_char(first_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since,
    coalesce(customer_id, 'the fleet') AS customer, metric, kind, direction, severity, status,
    round(score::numeric, 1) AS score, round(expected::numeric, 1) AS expected,
    round(observed::numeric, 1) AS observed, hours, recommended_action, anomaly_id
FROM anomalies
WHERE closed_at IS NULL
ORDER BY severity, score DESC, first_hour;
