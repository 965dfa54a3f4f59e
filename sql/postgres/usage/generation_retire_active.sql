UPDATE usage_generations SET state = 'retired' WHERE state = 'active'
