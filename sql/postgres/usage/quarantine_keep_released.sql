-- What a person released stays released in the next generation.
UPDATE quarantine AS rebuilt SET released_at = known.released_at, released_by = known.released_by,
    release_reason = known.release_reason
FROM quarantine AS known
WHERE rebuilt.generation = $1 AND known.generation < $1
    AND known.quarantine_id = rebuilt.quarantine_id AND known.released_at IS NOT NULL
