WITH fence AS (SELECT token FROM leases WHERE name = $1 AND token = $2 FOR SHARE)
UPDATE job_slots SET status = 'skipped', skip_reason = skipped.reason
FROM fence, unnest($4::text[], $5::text[]) AS skipped (slot, reason)
WHERE job_slots.job = $3 AND job_slots.slot = skipped.slot
    AND job_slots.status IN ('pending', 'failed')
