-- People list the newest runs first: they are found without reading the others.
CREATE INDEX job_slots_by_time ON job_slots (due_at);
CREATE INDEX runs_of_continuous_jobs_by_time ON job_attempts (started_at) WHERE slot IS NULL;
