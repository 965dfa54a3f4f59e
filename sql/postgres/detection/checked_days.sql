-- Days since one ($1) that were checked, the latest first.
SELECT day, generation, cutoff_batch FROM detection_checked_days WHERE day >= $1 ORDER BY day DESC
