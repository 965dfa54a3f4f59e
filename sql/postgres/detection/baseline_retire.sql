UPDATE baseline_versions SET state = 'retired' WHERE state = 'active' RETURNING version
