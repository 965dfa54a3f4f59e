-- Runs that ended more than $1 days ago, but for each job's last success; at most $2. Jobs without slots run
-- every few minutes, and each of their runs says the same: of them a month is enough.
DELETE FROM job_attempts WHERE attempt_id IN (
    SELECT attempt_id FROM job_attempts AS old
    WHERE finished_at < clock_timestamp() - least($1, 30) * interval '1 day'
        AND (slot IS NULL OR finished_at < clock_timestamp() - $1 * interval '1 day')
        AND (status <> 'succeeded' OR EXISTS (
            SELECT FROM job_attempts AS later
            WHERE later.job = old.job AND later.status = 'succeeded'
                AND later.finished_at > old.finished_at))
    ORDER BY finished_at LIMIT $2)
