-- How many events there are in state $1, of type $2, about invoice $3 (NULL: any).
SELECT count(*) AS events FROM webhook_events
WHERE ($1::text IS NULL OR state = $1::text) AND ($2::text IS NULL OR type = $2::text)
    AND ($3::text IS NULL OR invoice_id = $3::text)
