-- The months that have invoices, the newest first: one look into the index for each.
WITH RECURSIVE months AS (
    (SELECT slot FROM invoices ORDER BY slot DESC LIMIT 1)
    UNION ALL
    SELECT (SELECT slot FROM invoices WHERE slot < months.slot ORDER BY slot DESC LIMIT 1)
    FROM months WHERE months.slot IS NOT NULL
)
SELECT slot FROM months WHERE slot IS NOT NULL
