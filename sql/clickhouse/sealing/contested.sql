-- What becomes of the disputed rows of a batch. The winner of an earlier batch stays; else the lowest
-- (ingested_at, content) wins. Of another content the first row is a conflict; all other rows that were
-- not accounted for are duplicates.
CREATE TABLE {contested:Identifier} ENGINE = Memory AS
SELECT id, check, content, ingested_at, day, is_faulty, fresh, copies - fresh AS known_copies,
    NOT is_faulty AND fresh > 0 AND NOT has_winner AND place = 1 AS is_winner,
    NOT is_faulty AND fresh > 0 AND content != counted_content AND NOT is_known_content
        AND place_of_content = 1 AS is_conflict,
    counted_day
FROM
(
    SELECT *,
        -- As many as there are now, but for those that were accounted for.
        copies - least(copies, accounted_copies) AS fresh,
        row_number() OVER (PARTITION BY id, check ORDER BY ingested_at, content) AS place,
        row_number() OVER (PARTITION BY id, check, content ORDER BY ingested_at) AS place_of_content,
        if(has_winner, winner_content,
            first_value(content) OVER (PARTITION BY id, check ORDER BY ingested_at, content)) AS counted_content,
        if(has_winner, winner_day,
            first_value(day) OVER (PARTITION BY id, check ORDER BY ingested_at, content)) AS counted_day
    FROM
    (
        SELECT id, check, content, ingested_at, any(day) AS day, any(fault) != '' AS is_faulty, count() AS copies
        FROM {disputed:Identifier}
        GROUP BY id, check, content, ingested_at
    ) AS rows
    LEFT JOIN
    (
        SELECT id, check, any(content) AS winner_content, any(day) AS winner_day, true AS has_winner
        FROM {known:Identifier} WHERE is_winner GROUP BY id, check
    ) AS winner USING (id, check)
    LEFT JOIN
    (
        SELECT DISTINCT id, check, content, true AS is_known_content FROM {known:Identifier}
    ) AS contents USING (id, check, content)
    LEFT JOIN
    (
        SELECT id, check, content, ingested_at, sum(copies) AS accounted_copies
        FROM {known:Identifier} GROUP BY id, check, content, ingested_at
    ) AS accounted USING (id, check, content, ingested_at)
)
