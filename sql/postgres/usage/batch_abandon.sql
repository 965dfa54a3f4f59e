-- Whose process died, or lost its lease.
UPDATE usage_batches SET state = 'abandoned' WHERE state = 'open' RETURNING batch
