-- Rebuilds that died, or that nobody accepted.
UPDATE usage_generations SET state = 'retired' WHERE state = 'building' RETURNING generation
