-- The rows of a batch whose id occurs more than once, here or in earlier batches: few, so that what is
-- asked of them does not go through the whole batch.
CREATE TABLE {disputed:Identifier} ENGINE = Memory AS
SELECT * FROM {stage:Identifier}
WHERE id IN
(
    SELECT id FROM {stage:Identifier} GROUP BY id HAVING count() > 1
    UNION DISTINCT
    SELECT id FROM {known:Identifier}
)
