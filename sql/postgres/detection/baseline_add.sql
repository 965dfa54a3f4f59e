INSERT INTO baseline_versions (version, slot, first_day, last_day, state, baselines, drifted, expires_at)
VALUES ($1, $2, $3::date, $4::date, 'refused', $5, $6, now() + interval '400 days')
