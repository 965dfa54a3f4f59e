INSERT INTO detection_missing_hours SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING
