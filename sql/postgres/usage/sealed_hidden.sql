SELECT batch FROM usage_batches WHERE state = 'abandoned' AND batch <= $1 ORDER BY batch
