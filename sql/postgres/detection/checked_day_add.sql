-- A day ($1) was checked with the usage up to a batch ($2 generation, $3). Days before $4 are not checked again.
WITH forgotten AS (
    DELETE FROM detection_checked_days WHERE day < $4
)
INSERT INTO detection_checked_days AS known (day, generation, cutoff_batch) VALUES ($1, $2, $3)
ON CONFLICT (day) DO UPDATE SET generation = excluded.generation, cutoff_batch = excluded.cutoff_batch,
    checked_at = excluded.checked_at
