-- How many rows of run_history there are. $1 job, $2 slot, $3 status: NULL is no restriction.
SELECT (
        SELECT count(*) FROM job_slots
        WHERE ($1::text IS NULL OR job = $1::text) AND ($2::text IS NULL OR slot = $2::text)
            AND ($3::text IS NULL OR status = $3::text))
    + (
        SELECT count(*) FROM job_attempts
        WHERE slot IS NULL AND $2::text IS NULL AND ($1::text IS NULL OR job = $1::text)
            AND ($3::text IS NULL OR status = $3::text)) AS runs
