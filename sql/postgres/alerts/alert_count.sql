-- How many a list without a limit has. $1 state, $2 kind: NULL for all.
SELECT count(*) AS alerts FROM alerts
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2)
