INSERT INTO usage_batches (generation, state, holder) VALUES ($1, 'open', $2) RETURNING batch
