-- next_id: the name of what is staged if it does not go on in what is known.
CREATE TEMPORARY TABLE staged_anomalies (
    LIKE anomalies INCLUDING DEFAULTS INCLUDING GENERATED, next_id text COLLATE "C") ON COMMIT DROP
