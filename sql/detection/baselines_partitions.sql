SELECT DISTINCT toInt64(partition) AS version
FROM system.parts
WHERE database = currentDatabase() AND table = 'detection_baselines' AND active
