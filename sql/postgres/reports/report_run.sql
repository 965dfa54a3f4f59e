-- What the last run of a month ($1) counted.
SELECT figures::text AS figures, to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS finished
FROM job_attempts
WHERE job IN ('bill', 'bill-dry-run') AND slot = $1 AND figures IS NOT NULL
ORDER BY attempt_id DESC LIMIT 1
