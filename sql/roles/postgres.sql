-- Who may do what in the ledger. Run as the database's owner or a superuser, after every `jobs migrate`:
--
--     psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -f sql/roles/postgres.sql
--
-- in the ledger's schema (the first of search_path). It may be run again at any time. Then give the roles
-- passwords: \password meterflow_jobs
--
--     meterflow_owner     owns the tables; for `jobs migrate` only
--     meterflow_jobs      runs everything else: it cannot change a journal, or delete an invoice
--     meterflow_reader    reads: finance, analysts, dashboards
DO $$
DECLARE
    schema text := current_schema();
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['meterflow_owner', 'meterflow_jobs', 'meterflow_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', schema);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO meterflow_owner', schema);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO meterflow_jobs, meterflow_reader', schema);
    -- Slots are computed in temporary tables.
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO meterflow_jobs', current_database());

    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO meterflow_jobs', schema);
    EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO meterflow_jobs', schema);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO meterflow_reader', schema);

    -- Only ever added to.
    FOREACH name IN ARRAY ARRAY['ledger', 'catalog_versions', 'customer_terms', 'invoice_events',
        'invoice_moves', 'balance_entries', 'stripe_account', 'schema_migrations'] LOOP
        IF to_regclass(format('%I.%I', schema, name)) IS NOT NULL THEN
            EXECUTE format('REVOKE UPDATE, DELETE ON %I.%I FROM meterflow_jobs', schema, name);
        END IF;
    END LOOP;
    -- Changed, and never deleted.
    FOREACH name IN ARRAY ARRAY['customers', 'invoices', 'stripe_requests', 'stripe_attempts', 'dead_letters',
        'billing_pauses', 'usage_batches'] LOOP
        IF to_regclass(format('%I.%I', schema, name)) IS NOT NULL THEN
            EXECUTE format('REVOKE DELETE ON %I.%I FROM meterflow_jobs', schema, name);
        END IF;
    END LOOP;
    IF to_regclass(format('%I.schema_migrations', schema)) IS NOT NULL THEN
        EXECUTE format('REVOKE INSERT ON %I.schema_migrations FROM meterflow_jobs', schema);
    END IF;
END $$;
