internal import Ledger
internal import Postgres

struct PostgresChecks: Sendable {
    let live: Live

    private var health: LedgerHealth { LedgerHealth(pool: live.pool) }

    func server() async throws -> [Finding] {
        let server = try await health.server()
        var findings = [
            server.version >= 150_000
                ? Finding.ok("postgres", "server", "Postgres \(server.versionText)")
                : .failure(
                    "postgres", "server", "Postgres \(server.versionText) is too old",
                    "upgrade it to 15 or newer")
        ]
        if server.isStandby {
            findings.append(
                .failure(
                    "postgres", "role", "this is a standby, which takes no writes",
                    "point DATABASE_URL at the primary"))
        }
        findings.append(Self.durability(server))
        let share = server.sessions * 100 / max(1, server.mostSessions)
        findings.append(
            share < 80
                ? .ok(
                    "postgres", "sessions", "\(server.sessions) of \(server.mostSessions) sessions")
                : .warning(
                    "postgres", "sessions",
                    "\(server.sessions) of \(server.mostSessions) sessions are taken",
                    "raise max_connections, or find who holds them: pg_stat_activity"))
        return findings
    }

    /// What is committed must outlive the server.
    private static func durability(_ server: LedgerHealth.Server) -> Finding {
        switch (server.synchronousCommit, server.standbyNames) {
        case ("off", _):
            .failure(
                "postgres", "durability", "synchronous_commit is off: a crash forgets commits",
                "set it to on for this database or user")
        case (let mode, ""):
            .ok("postgres", "durability", "synchronous_commit is \(mode); no synchronous standby")
        case ("local", let names):
            .warning(
                "postgres", "durability",
                "synchronous_commit is local: the standbys \(names) may lack what was committed",
                "set it to on")
        case (let mode, _) where server.synchronousReplicas == 0 && server.hiddenReplicas > 0:
            .ok(
                "postgres", "durability",
                "synchronous_commit is \(mode), \(server.hiddenReplicas) standbys; pg_read_all_stats shows which are synchronous"
            )
        case (_, let names) where server.synchronousReplicas == 0:
            .failure(
                "postgres", "durability",
                "no synchronous standby of '\(names)' is connected: commits wait",
                "bring it back, or take it out of synchronous_standby_names", .unavailable)
        case (let mode, _):
            .ok(
                "postgres", "durability",
                "synchronous_commit is \(mode), \(server.synchronousReplicas) synchronous standbys")
        }
    }

    func schema() async throws -> [Finding] {
        let state = try await LedgerSchema.migrator.state(on: live.pool)
        if let problem = SchemaCheck.problem(state) {
            return [.failure("postgres", "schema", problem, "run: jobs migrate")]
        }
        return [.ok("postgres", "schema", "the tables are those of this program")]
    }

    func privileges() async throws -> [Finding] {
        let missing = try await health.missingPrivileges()
        if !missing.read.isEmpty {
            return [
                .failure(
                    "postgres", "privileges",
                    "no right to read \(missing.read.joined(separator: ", "))",
                    "grant it, or connect as the user that made the tables")
            ]
        }
        if !missing.write.isEmpty {
            return [
                .warning(
                    "postgres", "privileges",
                    "no right to write \(missing.write.joined(separator: ", "))",
                    "right for a reader; a job needs it: sql/roles/postgres.sql")
            ]
        }
        return [.ok("postgres", "privileges", "all tables can be read and written")]
    }
}
