-- Where the states are: the last position, and the versions that hold there.
SELECT position, array_to_string(array_agg(version ORDER BY version), ',') AS versions,
    max(generation) AS generation, max(cutoff_batch) AS cutoff_batch, max(active_series) AS active_series
FROM detection_positions
GROUP BY position
ORDER BY position DESC
