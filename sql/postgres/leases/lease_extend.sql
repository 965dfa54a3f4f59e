UPDATE leases SET expires_at = clock_timestamp() + $3::float8 * interval '1 second'
WHERE name = $1 AND token = $2
RETURNING token
