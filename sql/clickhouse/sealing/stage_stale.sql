-- Tables of this batch and of those before it, which are over or whose process died. Not of those after it:
-- a process that lost its lease unnoticed would take them from the one that follows.
SELECT name FROM system.tables
WHERE database = currentDatabase() AND match(name, '^sealing_[0-9]+_[a-z]+[0-9]*$')
    AND toInt64OrZero(splitByChar('_', name)[2]) <= {batch:Int64}
