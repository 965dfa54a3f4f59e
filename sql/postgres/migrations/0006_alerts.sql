-- The number of the migration that adds how alerts are sent.
SELECT 1
