SELECT version, effective_from::text, source, source_sha256
FROM catalog_versions ORDER BY effective_from
