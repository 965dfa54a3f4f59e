INSERT INTO usage_generations (generation, state)
SELECT max(generation) + 1, 'building' FROM usage_generations
RETURNING generation
