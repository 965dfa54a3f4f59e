-- Runs that ended more than $1 days ago, but for each job's last success; at most $2.
DELETE FROM job_attempts WHERE attempt_id IN (
    SELECT attempt_id FROM job_attempts
    WHERE finished_at < clock_timestamp() - $1 * interval '1 day'
        AND attempt_id NOT IN (
            SELECT DISTINCT ON (job) attempt_id FROM job_attempts
            WHERE status = 'succeeded' ORDER BY job, finished_at DESC)
    ORDER BY finished_at LIMIT $2)
