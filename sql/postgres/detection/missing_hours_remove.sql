DELETE FROM detection_missing_hours WHERE hour_index = ANY ($1::bigint[])
