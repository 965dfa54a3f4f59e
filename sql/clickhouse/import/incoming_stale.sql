-- Leftovers of imports that died a day ago or earlier.
SELECT name FROM system.tables
WHERE database = currentDatabase() AND match(name, '^incoming_[0-9]+_[0-9a-z]+$')
    AND metadata_modification_time < now() - INTERVAL 1 DAY
