INSERT INTO catalog_versions (version, effective_from, source, source_sha256)
VALUES ($1, $2::date, $3, $4)
