INSERT INTO baseline_approvals (version, customer_id, by, reason)
SELECT $1, customer_id, $3, $4
FROM unnest(coalesce($2::text[], ARRAY[NULL]::text[])) AS customer_id
RETURNING version
