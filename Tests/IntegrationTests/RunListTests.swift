import Foundation
import Postgres
import Testing

/// `jobs runs list`: what the view run_history has, the newest first.
struct RunListTests {
    private struct Row: Decodable, Equatable {
        var job: String
        var slot: String?
        var status: String
        var attempts: Int
        var startedAt: String?
        var exitCode: Int?
        var error: String?
    }

    @Test func `it lists what run_history has: people see the beginning, programs all of it`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            try await stack.fillHistory()
            let history: [Row] = try await stack.postgres.query(
                """
                SELECT to_json(runs)::text AS value FROM (
                    SELECT job, slot, status, attempts, exit_code, error,
                        to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS started_at
                    FROM run_history ORDER BY coalesce(due_at, run_history.started_at) DESC, job, slot DESC
                ) AS runs
                """
            ).rows.map { try $0.decode("value", as: String.self) }.joined(separator: "\n").objects()
            try #require(history.count == 150)
            func listed(_ options: String...) async throws -> [Row] {
                let list = ["runs", "list", "--format", "json"] + options
                return try await stack.jobs(list).output.objects()
            }
            #expect(try await listed() == history)
            #expect(try await listed("--limit", "7") == Array(history.prefix(7)))
            #expect(
                try await listed("--job", "probe", "--status", "failed")
                    == history.filter { $0.job == "probe" && $0.status == "failed" })
            #expect(try await listed("--slot", "2026-01-05").map(\.slot) == ["2026-01-05"])
            #expect(try await stack.done("runs", "list", "--format", "csv").lineCount == 151)

            let table = try await stack.jobs("runs", "list")
            #expect(table.output.lineCount == 101)
            #expect(table.errors == "100 of 150; --limit shows more\n")
            let chosen = try await stack.jobs("runs", "list", "--limit", "10")
            #expect(chosen.output.lineCount == 11 && chosen.errors.isEmpty)
        }
    }
}

extension Stack {
    /// 90 days of a job with slots, of which some were tried several times or not at all, and 60 runs of one
    /// without.
    fileprivate func fillHistory() async throws {
        for statement in [
            """
            INSERT INTO job_slots (job, slot, slot_start, slot_end, due_at, is_planned, status, created_at)
            SELECT 'probe', to_char(day, 'YYYY-MM-DD'), day, day + interval '1 day', day + interval '1 day',
                true, CASE WHEN extract(day FROM day) > 27 THEN 'pending'
                    WHEN extract(day FROM day)::integer % 7 = 0 THEN 'failed' ELSE 'succeeded' END, day
            FROM generate_series(timestamptz '2026-01-01 UTC', timestamptz '2026-03-31 UTC', '1 day') AS day
            """,
            """
            INSERT INTO job_attempts (job, slot, token, holder, program_version, started_at, finished_at,
                status, exit_code, error)
            SELECT job, slot, 1, 'host', '1', due_at + number * interval '1 hour',
                due_at + number * interval '1 hour 30 seconds',
                CASE WHEN number = 1 THEN 'stopped' WHEN job_slots.status = 'failed' OR number = 2
                    THEN 'failed' ELSE 'succeeded' END,
                CASE WHEN number > 1 THEN number END, CASE WHEN number = 2 THEN 'it broke' END
            FROM job_slots, generate_series(1, 3) AS number
            WHERE status <> 'pending' AND (number > 1 OR slot LIKE '%5')
            ORDER BY due_at, number
            """,
            """
            INSERT INTO job_attempts (job, holder, program_version, started_at, finished_at, status, exit_code)
            SELECT 'steady', 'host', '1', at, at + interval '1 second', 'succeeded', 0
            FROM generate_series(timestamptz '2026-03-30 00:01 UTC', timestamptz '2026-03-30 01:00 UTC',
                '1 minute') AS at
            """,
        ] { try await postgres.query(statement) }
    }
}
