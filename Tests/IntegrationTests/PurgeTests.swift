import Foundation
import Postgres
import Testing

/// `jobs run purge`: what has served its time goes, and nothing else.
struct PurgeTests {
    @Test func `what is old and over goes; invoices and what waits for a person stay`() async throws
    {
        try await withSubmittedStack { scene in
            let stack = scene.stack
            #expect(try await scene.bill().status == 0)
            #expect(
                try await stack.jobs(["run", "process-webhooks"], with: scene.settings([:])).status
                    == 0)
            try await stack.fillWithOldThings()
            let kept = try await stack.counts([
                "invoices", "invoice_lines", "invoice_events", "stripe_requests", "stripe_attempts",
                "balance_entries", "customer_terms",
            ])
            let first = try await stack.done("run", "purge", "--slot", "2026-11-01")
            #expect(
                first == """
                    purged 7,001 webhook_events, 1 alerts, 2 alert_messages, 1 anomalies, \
                    1 anomaly_mutes, 2 baseline_versions, 2 job_attempts, 1 job_slots

                    """)
            #expect(
                try await stack.counts([
                    "invoices", "invoice_lines", "invoice_events", "stripe_requests",
                    "stripe_attempts", "balance_entries", "customer_terms",
                ]) == kept)
            for (table, column) in [
                ("webhook_events", "event_id"), ("alerts", "key"), ("anomalies", "anomaly_id"),
                ("job_attempts", "job"), ("job_slots", "slot"), ("baseline_versions", "slot"),
            ] {
                let left: Bool = try await stack.value(
                    "SELECT bool_and(\(column) NOT LIKE 'old%') AS value FROM \(table)")
                #expect(left, "\(table)")
                let stays: Bool = try await stack.value(
                    "SELECT count(*) > 0 AS value FROM \(table) WHERE \(column) LIKE 'stays%'")
                #expect(stays, "\(table)")
            }
            let second = try await stack.done("run", "purge", "--slot", "2026-11-01")
            #expect(second.hasPrefix("purged 0 webhook_events, 0 alerts, "))
        }
    }

    @Test func `events that Stripe may still list are kept`() async throws {
        try await withStack { stack in
            let result = try await stack.jobs(
                ["run", "purge"], with: ["RETENTION_WEBHOOK_EVENTS_DAYS": "34"])
            #expect(result.status == 78)
            #expect(result.errors.contains("retention.webhook_events_days is 34"))
        }
    }
}

extension Stack {
    fileprivate func counts(_ tables: [String]) async throws -> [Int] {
        var counts: [Int] = []
        for table in tables { counts.append(try await count(table)) }
        return counts
    }

    /// Names that begin with `old` must go, those with `stays` must not.
    fileprivate func fillWithOldThings() async throws {
        for statement in [
            """
            INSERT INTO webhook_events (event_id, source, type, livemode, payload, state, settled_at)
            SELECT 'old' || number, 'endpoint', 'invoice.paid', false, '{}', 'processed',
                now() - interval '401 days'
            FROM generate_series(0, 7000) AS number
            """,
            """
            INSERT INTO webhook_events (event_id, source, type, livemode, payload, state, settled_at)
            VALUES ('stays_dead', 'endpoint', 'a', false, '{}', 'dead', now() - interval '900 days'),
                ('stays_young', 'endpoint', 'a', false, '{}', 'ignored', now() - interval '399 days')
            """,
            """
            INSERT INTO alerts (key, kind, severity, subject, body, state, resolved_at, needs_routing)
            VALUES ('old', 'a', 'info', 's', '{}', 'resolved', now() - interval '181 days', false),
                ('stays_open', 'a', 'info', 's', '{}', 'open', NULL, false),
                ('stays_unsent', 'a', 'info', 's', '{}', 'resolved', now() - interval '181 days', true),
                ('stays_dead', 'a', 'info', 's', '{}', 'resolved', now() - interval '181 days', false),
                ('stays_young', 'a', 'info', 's', '{}', 'resolved', now() - interval '179 days', false)
            """,
            """
            INSERT INTO alert_messages (route, state, settled_at)
            VALUES ('r', 'delivered', now() - interval '181 days'),
                ('dead', 'dead', now() - interval '181 days'),
                ('gone', 'discarded', now() - interval '181 days')
            """,
            """
            INSERT INTO alert_deliveries (alert_id, round, route, action, message_id, severity, body,
                happened_at)
            SELECT alert_id, 1, route, 'trigger', message_id, severity, body, raised_at
            FROM alerts, alert_messages
            WHERE (key, route) IN (('old', 'r'), ('stays_dead', 'dead'))
            """,
            """
            INSERT INTO anomalies (anomaly_id, customer_id, metric_key, metric, kind, severity,
                direction, status, first_hour, last_hour, peak_hour, score, threshold, expected,
                observed, excess, hours, method, recommended_action, closed_at, close_reason, expires_at)
            SELECT name, name, 'k', 'm', 'volume', 'critical', 'up', status, now(), now(), now(), 5, 3, 1,
                9, 8, 1, 'composite', 'look', closed_at, NULL, now() - interval '1 day'
            FROM (VALUES ('old', 'resolved', now()), ('stays_open', 'open', NULL))
                AS given (name, status, closed_at)
            """,
            """
            INSERT INTO anomaly_mutes (customer_id, starts_at, ends_at, by, reason)
            VALUES ('old', now() - interval '90 days', now() - interval '31 days', 'me', 'launch'),
                ('stays', now() - interval '90 days', now() - interval '29 days', 'me', 'launch')
            """,
            """
            INSERT INTO baseline_versions (version, slot, first_day, last_day, state, baselines, drifted,
                expires_at)
            SELECT version, slot, last_day::date - 55, last_day::date, state, 7, 0,
                now() - interval '1 day'
            FROM (VALUES (1, 'old', '2026-01-04', 'retired'),
                (2, 'stays_as_four_weeks_older', '2026-02-01', 'retired'),
                (3, 'stays_as_the_one_before', '2026-03-01', 'retired'),
                (4, 'old_refused', '2026-03-08', 'refused'),
                (5, 'stays_active', '2026-03-15', 'active'))
                AS given (version, slot, last_day, state)
            """,
            """
            INSERT INTO job_slots (job, slot, slot_start, slot_end, due_at, is_planned, status, created_at)
            SELECT job, slot, day::timestamptz, day::timestamptz + interval '1 day', day::timestamptz,
                true, status, day::timestamptz
            FROM (VALUES ('probe', 'old', '2020-01-01', 'succeeded'),
                ('probe', 'stays_as_the_last', '2020-01-02', 'succeeded'),
                ('other', 'stays_failed', '2020-01-01', 'failed'),
                ('other', 'stays_after_it', '2020-01-02', 'succeeded'))
                AS given (job, slot, day, status)
            """,
            """
            INSERT INTO job_attempts (job, holder, program_version, started_at, finished_at, status)
            SELECT name, 'p', '1', at, at, status
            FROM (VALUES ('old', timestamptz '2020-01-02', 'failed'),
                ('old_and_every_minute', now() - interval '31 days', 'failed'),
                ('stays', timestamptz '2020-01-02', 'succeeded')) AS given (name, at, status)
            """,
            """
            INSERT INTO job_attempts (job, slot, token, holder, program_version, started_at, finished_at, status)
            SELECT 'other', 'stays_failed', 1, 'p', '1', at, at, 'failed'
            FROM (VALUES (now() - interval '31 days')) AS given (at)
            """,
        ] { try await postgres.query(statement) }
    }
}
