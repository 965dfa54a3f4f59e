-- Tables of batches that are over, or whose process died.
SELECT name FROM system.tables
WHERE database = currentDatabase() AND match(name, '^sealing_[0-9]+_[a-z]+[0-9]*$')
