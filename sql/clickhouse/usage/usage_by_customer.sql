-- What every customer used in a period: whole days from the daily rollups, whole hours at its edges from
-- the hourly ones, and from the winners what no rollup holds.
SELECT
    customer_id,
    sumIf(pieces.events, rollup_key = 'events') AS events/* metric columns */
FROM
(
    /* pieces */
) AS pieces
GROUP BY customer_id
HAVING events > 0
ORDER BY customer_id
