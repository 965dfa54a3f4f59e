-- $6: these ids; NULL: all that the list shows.
UPDATE quarantine SET released_at = clock_timestamp(), released_by = $7, release_reason = $8
WHERE generation = $1 AND batch <= $2 AND released_at IS NULL
    AND event_at >= to_timestamp($3::bigint / 1000.0) AND event_at < to_timestamp($4::bigint / 1000.0)
    AND ($5::text IS NULL OR customer_id = $5::text)
    AND ($6::text[] IS NULL OR quarantine_id = ANY ($6::text[]))
RETURNING copies
