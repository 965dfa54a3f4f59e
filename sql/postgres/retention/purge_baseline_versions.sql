-- Versions of baselines that have expired; at most $1. Their rows in ClickHouse go with the next rebuild. The
-- active one stays, the one before it (to go back to), and the newest that is four weeks older than the next
-- one will be (which that is measured by).
DELETE FROM baseline_versions WHERE version IN (
    SELECT version FROM baseline_versions
    WHERE expires_at < ledger_clock() AND state <> 'active'
        AND version IS DISTINCT FROM (
            SELECT max(version) FROM baseline_versions
            WHERE state = 'retired'
                AND version < (SELECT version FROM baseline_versions WHERE state = 'active'))
        AND version IS DISTINCT FROM (
            SELECT version FROM baseline_versions
            WHERE state <> 'refused' AND last_day <= (SELECT max(last_day) - 21 FROM baseline_versions)
            ORDER BY version DESC LIMIT 1)
    ORDER BY version LIMIT $1)
