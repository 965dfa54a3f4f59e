INSERT INTO detection_positions (position, version, generation, cutoff_batch, active_series)
SELECT position, $2, $3, $4, $5 FROM unnest($1::bigint[]) AS position
