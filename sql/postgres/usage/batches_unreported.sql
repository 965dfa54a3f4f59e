-- What was sealed after the last batch of which a run of seal-usage has told: bill, reconcile and the jobs of
-- detection seal, too. $1: the generation, $2: its cut-off.
SELECT batch, events, duplicates, conflicts, quarantined
FROM usage_batches
WHERE generation = $1 AND state = 'sealed' AND batch <= $2
    AND batch > coalesce(
        (
            SELECT (figures->>'cutoff_batch')::bigint FROM job_attempts
            WHERE job = 'seal-usage' AND status = 'succeeded'
            ORDER BY finished_at DESC LIMIT 1
        ), 0)
ORDER BY batch
