-- Takes a lease that nobody has, or whose holder let it run out.
INSERT INTO leases (name, token, holder, expires_at)
VALUES ($1, 1, $2, clock_timestamp() + $3::float8 * interval '1 second')
ON CONFLICT (name) DO UPDATE SET
    token = leases.token + 1,
    holder = excluded.holder,
    acquired_at = clock_timestamp(),
    expires_at = excluded.expires_at
WHERE leases.expires_at <= clock_timestamp()
RETURNING token
