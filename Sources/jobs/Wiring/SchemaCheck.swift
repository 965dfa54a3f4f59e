internal import Postgres
internal import Usage

/// Refuses databases that this program was not written for, and says which command mends that.
enum SchemaCheck {
    static func requireCurrent(_ state: MigrationState) throws {
        if let problem = problem(state) { throw Failure(.configuration, "Postgres: \(problem)") }
    }

    static func requireCurrent(_ state: UsageSchema.State) throws {
        if let problem = problem(state) { throw Failure(.configuration, "ClickHouse: \(problem)") }
    }

    /// `nil`: the schema is ours.
    static func problem(_ state: MigrationState) -> String? {
        switch state {
        case .current: nil
        case .empty: "the tables are not there yet; run: jobs migrate"
        case .tooOld(let have, let want): tooOld(have, want)
        case .tooNew(let have, let want): tooNew(have, want)
        case .changed(let name):
            "migration \(name) was applied with another text; restore the database or the program it belongs to"
        }
    }

    static func problem(_ state: UsageSchema.State) -> String? {
        switch state {
        case .current: nil
        case .tooOld(let have, let want): tooOld(have, want)
        case .tooNew(let have, let want): tooNew(have, want)
        }
    }

    private static func tooOld(_ have: Int, _ want: Int) -> String {
        "the schema is at version \(have), this program needs \(want); run: jobs migrate"
    }

    private static func tooNew(_ have: Int, _ want: Int) -> String {
        "the schema is at version \(have), this program knows only \(want); install the newer program"
    }
}
