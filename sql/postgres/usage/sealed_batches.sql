-- The sealed batches of a generation up to a cut-off, with how many events each holds.
SELECT batch, events FROM usage_batches
WHERE generation = $1 AND state = 'sealed' AND batch <= $2 ORDER BY batch
