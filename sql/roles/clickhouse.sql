-- Who may do what in ClickHouse, for a server with access management. Replace `meterflow` by the database in
-- CLICKHOUSE_URL, and `analytics.events` by usage.events_table if the log is another one.
CREATE ROLE IF NOT EXISTS meterflow_jobs;
-- Our tables: sealed usage, and what the importer appends.
GRANT SELECT, INSERT, CREATE TABLE, DROP TABLE, ALTER, TRUNCATE ON meterflow.* TO meterflow_jobs;
-- The log of usage events is only read.
GRANT SELECT ON analytics.events TO meterflow_jobs;
-- Engines, columns, how far replicas are, and for jobs doctor the disks.
GRANT SELECT ON system.tables TO meterflow_jobs;
GRANT SELECT ON system.columns TO meterflow_jobs;
GRANT SELECT ON system.parts TO meterflow_jobs;
GRANT SELECT ON system.replicas TO meterflow_jobs;
GRANT SELECT ON system.disks TO meterflow_jobs;
GRANT SELECT ON system.merge_tree_settings TO meterflow_jobs;
-- Only if the log is a Distributed table, of which every shard's replicas are asked how far they are:
-- GRANT REMOTE, CREATE TEMPORARY TABLE ON *.* TO meterflow_jobs;
CREATE USER IF NOT EXISTS meterflow IDENTIFIED WITH sha256_password BY 'change me' DEFAULT ROLE meterflow_jobs;
GRANT meterflow_jobs TO meterflow;
