SELECT format('%s, since %s', holder,
    to_char(acquired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS holder
FROM leases WHERE name = $1 AND expires_at > clock_timestamp()
