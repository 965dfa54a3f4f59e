-- The version that prices a period whose first day is $1.
SELECT version, effective_from::text, source, source_sha256
FROM catalog_versions WHERE effective_from <= $1::date
ORDER BY effective_from DESC LIMIT 1
