-- It is judged by for ten weeks at most: then eight weeks of usage are of another time.
INSERT INTO baseline_versions (version, slot, first_day, last_day, state, baselines, drifted, expires_at)
VALUES ($1, $2, $3::date, $4::date, 'refused', $5, $6, now() + interval '70 days')
