-- Versions with the name or the date of a new one.
SELECT version, source_sha256 FROM catalog_versions
WHERE version = $1 OR effective_from = $2::date
ORDER BY version <> $1
