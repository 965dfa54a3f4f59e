-- Of the positions before the last ($1) only the refreshed ones from $2 on are of use.
DELETE FROM detection_positions
WHERE position < $1 AND (position < $2 OR position % 2 = 0)
