SELECT DISTINCT zone, next_zone FROM slot_terms ORDER BY zone, next_zone
