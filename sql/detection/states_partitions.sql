SELECT DISTINCT toInt64(partition) AS position
FROM system.parts
WHERE database = currentDatabase() AND table = 'detection_blocks' AND active
