-- Puts slots that have become due on record. One that somebody asked for earlier keeps its state.
WITH fence AS (SELECT token FROM leases WHERE name = $1 AND token = $2 FOR SHARE)
INSERT INTO job_slots (job, slot, slot_start, slot_end, due_at, is_planned, status, created_at)
SELECT $3, slot, slot_start, slot_end, due_at, true, 'pending', clock_timestamp()
FROM fence, unnest($4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
    AS due (slot, slot_start, slot_end, due_at)
ON CONFLICT (job, slot) DO UPDATE SET is_planned = true, due_at = excluded.due_at
