INSERT INTO usage_batches (generation, state, holder, is_rebuild)
SELECT generation, 'open', $2, state = 'building' FROM usage_generations WHERE generation = $1
RETURNING batch
