import Foundation
import Postgres
import Testing

/// A line of `runs list` and `runs show` in JSON.
struct ListedRun: Decodable, Equatable {
    var job: String
    var slot: String?
    var status: String
    var skipReason: String?
    var dueAt: String?
    var attempts: Int
    var startedAt: String?
    var finishedAt: String?
    var exitCode: Int?
    var holder: String?
    var programVersion: String?
    var error: String?
}

extension Stack {
    /// Slots, oldest first.
    func runs(_ options: String...) async throws -> [ListedRun] {
        let result = try await jobs(["runs", "list", "--format", "json"] + options)
        try #require(result.status == 0, "\(result.errors)")
        return try result.output.objects().reversed()
    }

    func attempts(_ job: String, _ slot: String) async throws -> [ListedRun] {
        try await done("runs", "show", job, slot, "--format", "json").objects()
    }

    /// What became of every slot of a job, as `2026-10 succeeded`.
    func slots(_ job: String) async throws -> [String] {
        try await runs("--job", job, "--limit", "1000").map { run in
            "\(run.slot ?? "-") \(run.status)" + (run.skipReason.map { "(\($0))" } ?? "")
        }
    }

    /// Sets the ledger's clock, which goes on from there; hosts' clocks stay as they are.
    ///
    /// A function of the schema stands before the one of the same name that Postgres has, for programs
    /// that are started with `withLedgerClock`.
    func setLedgerClock(_ time: String) async throws {
        try await postgres.query(
            """
            CREATE OR REPLACE FUNCTION \(name).clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$
                SELECT pg_catalog.clock_timestamp()
                    + (timestamptz '\(time)' - timestamptz '\(Date().formatted(.iso8601))') $$
            """)
    }

    /// Lets the ledger's clock jump.
    func passLedgerTime(_ interval: String) async throws {
        let now: String = try await value(
            "SELECT (\(name).clock_timestamp() + interval '\(interval)')::text AS value")
        try await setLedgerClock(now)
    }

    var withLedgerClock: [String: String?] {
        let url = environment["DATABASE_URL"] ?? ""
        return [
            "DATABASE_URL": url.replacing(
                "search_path%3D\(name)", with: "search_path%3D\(name)%2Cpg_catalog")
        ]
    }

    /// Runs the program by the ledger's clock.
    func launched(_ arguments: String...) async throws -> JobsProcess.Result {
        try await jobs(arguments, with: withLedgerClock)
    }

    /// Starts the program, and calls `body` while it waits for a table that is locked.
    func waiting(
        at table: String, _ arguments: [String], with changes: [String: String?] = [:],
        program: String = JobsProcess.executable, _ body: (JobsProcess) async throws -> Void
    ) async throws {
        try await postgres.withConnection { holder in
            try await holder.query("BEGIN")
            try await holder.query("LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
            let process = try start(arguments, with: changes, program: program)
            try await untilRunWaits(on: table)
            try await body(process)
            try await holder.query("ROLLBACK")
        }
    }
}
