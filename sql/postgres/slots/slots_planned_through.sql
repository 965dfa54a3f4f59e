-- The last slot of a job that the schedule has come to.
SELECT slot FROM job_slots WHERE job = $1 AND is_planned ORDER BY slot_start DESC LIMIT 1
