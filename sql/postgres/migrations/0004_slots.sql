-- Slots: every hour, day, week or month of every job, and what became of it.

CREATE TABLE job_slots (
    job text COLLATE "C" NOT NULL CHECK (job <> ''),
    slot text COLLATE "C" NOT NULL CHECK (slot <> ''),
    slot_start timestamptz NOT NULL,
    slot_end timestamptz NOT NULL CHECK (slot_end > slot_start),
    -- From when on it may run without being asked for.
    due_at timestamptz NOT NULL,
    -- Whether the schedule has come to it; else somebody asked for it by name.
    is_planned boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'skipped')),
    skip_reason text CHECK (skip_reason IN ('latest', 'max_slots', 'max_age')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (job, slot),
    UNIQUE (job, slot_start),
    CHECK ((status = 'skipped') = (skip_reason IS NOT NULL))
);
CREATE INDEX job_slots_not_done ON job_slots (job, slot_start)
    WHERE status IN ('pending', 'running', 'failed');
CREATE INDEX job_slots_planned ON job_slots (job, slot_start) WHERE is_planned;

-- Every time a job was tried; without a slot: a run of a continuous job.
CREATE TABLE job_attempts (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    slot text COLLATE "C",
    -- The lease under which it wrote.
    token bigint,
    holder text NOT NULL,
    program_version text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- incomplete: all went well, but the slot is not done (not closed, or only a part was asked for).
    -- stopped: asked to stop, and gave it back. lost: died, or was paused past its lease.
    status text NOT NULL CHECK (status IN (
        'running', 'succeeded', 'incomplete', 'failed', 'stopped', 'lost')),
    exit_code integer,
    error text,
    figures jsonb,
    FOREIGN KEY (job, slot) REFERENCES job_slots,
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK ((slot IS NULL) = (token IS NULL))
);
CREATE INDEX job_attempts_of_a_slot ON job_attempts (job, slot, attempt_id);
CREATE INDEX job_attempts_succeeded ON job_attempts (job, finished_at) WHERE status = 'succeeded';
-- One works on a slot at a time.
CREATE UNIQUE INDEX one_attempt_is_running ON job_attempts (job, slot) WHERE status = 'running';

-- What ran, for people: a row for every slot, and one for every run of a continuous job.
CREATE VIEW run_history AS
SELECT job_slots.job, job_slots.slot, job_slots.status, skip_reason, due_at,
    coalesce(attempts, 0) AS attempts, started_at, finished_at,
    round(extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at), 3)
        AS duration_seconds,
    holder, program_version, exit_code, error, figures
FROM job_slots
LEFT JOIN LATERAL (
    SELECT started_at, finished_at, holder, program_version, exit_code, error, figures
    FROM job_attempts
    WHERE job_attempts.job = job_slots.job AND job_attempts.slot = job_slots.slot
    ORDER BY attempt_id DESC LIMIT 1
) AS last_attempt ON true
LEFT JOIN LATERAL (
    -- A soft stop is no attempt.
    SELECT count(*) AS attempts FROM job_attempts
    WHERE job_attempts.job = job_slots.job AND job_attempts.slot = job_slots.slot
        AND job_attempts.status <> 'stopped'
) AS tried ON true
UNION ALL
SELECT job, NULL, status, NULL, NULL, 1, started_at, finished_at,
    round(extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at), 3),
    holder, program_version, exit_code, error, figures
FROM job_attempts WHERE slot IS NULL;
