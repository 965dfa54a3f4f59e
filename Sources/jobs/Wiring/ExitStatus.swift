internal import Billing
internal import ClickHouse
internal import Detection
internal import Foundation
internal import HTTP
internal import Ledger
internal import Postgres
internal import Usage

/// How a command ended: the program's exit codes.
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    /// Finished, but something needs a person.
    case needsAPerson = 1
    case usage = 64
    case badInput = 65
    /// Postgres, ClickHouse or Stripe cannot be reached.
    case unavailable = 69
    case bug = 70
    /// Another run holds it: not a failure.
    case held = 75
    case refused = 77
    case configuration = 78
}

extension ExitStatus {
    /// The gravest first: a run of several slots ends with the gravest of theirs.
    static let byGravity: [ExitStatus] = [
        .bug, .refused, .configuration, .unavailable, .badInput, .usage, .needsAPerson, .held,
        .done,
    ]

    static func gravest(_ left: Self, _ right: Self) -> Self {
        byGravity.first { $0 == left || $0 == right } ?? .bug
    }
}

/// An error that knows how the program ends.
struct Failure: Error, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}

extension ExitStatus {
    /// What an error means to whoever launched the program. Nothing is left over: what is known here to
    /// be nobody else's fault is a bug of ours.
    init(_ error: any Error) {
        self =
            switch error {
            case let error as Failure: error.status
            case is SettingsError: .configuration
            case is InvalidCatalog, is InvalidCustomers, is UnknownTimeZone, is CSVError,
                is LineReaderError, is InputFileError, is SeriesFileError:
                .badInput
            case let error as UsageError: error.isUnavailable ? .unavailable : .configuration
            case let error as LedgerError:
                error.code == .held || error.code == .leaseLost ? .held : .badInput
            case let error as PostgresError: Self.status(of: error)
            case let error as ClickHouseError: Self.status(of: error)
            case let error as HTTPError:
                error.code == .invalidRequest ? .configuration : .unavailable
            case let error as StripeError:
                error.kind == .unauthorized ? .configuration : .unavailable
            case is StripeUnreachable: .unavailable
            case is AccountCheck.Refusal, is PlanFile.Outdated: .refused
            case is PlanFile.Invalid: .badInput
            case let error as SubmissionInterruption: error == .claimLost ? .held : .refused
            case is CancellationError: .held
            default: .bug
            }
    }

    private static func status(of error: PostgresError) -> ExitStatus {
        switch error.code {
        case .connect, .authentication, .connectionLost, .timeout, .commitOutcomeUnknown:
            .unavailable
        case .cancelled: .held
        case .schema: .configuration
        case .server(let state): status(ofSQLState: state)
        case .decoding, .closed, .usage: .bug
        }
    }

    /// https://www.postgresql.org/docs/15/errcodes-appendix.html
    private static func status(ofSQLState state: String) -> ExitStatus {
        switch state {
        // No such table, schema or column; no right to it: the database is not the one we expect.
        case "42P01", "3F000", "42703", "42501": .configuration
        case _ where ["08", "53", "57", "58"].contains(state.prefix(2)): .unavailable
        default: .bug
        }
    }

    private static func status(of error: ClickHouseError) -> ExitStatus {
        switch error.code {
        case .configuration: .configuration
        case .unreachable, .authentication, .truncated: .unavailable
        case .cancelled: .held
        // UNKNOWN_TABLE, UNKNOWN_DATABASE, ACCESS_DENIED
        case .server(60), .server(81), .server(497): .configuration
        // TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED, NOT_ENOUGH_SPACE,
        // QUERY_WAS_CANCELLED, NETWORK_ERROR, TABLE_IS_READ_ONLY
        case .server(159), .server(202), .server(241), .server(243), .server(394), .server(210),
            .server(242):
            .unavailable
        case .server, .decoding: .bug
        }
    }

    /// What to do about an error that cannot say so itself.
    static func advice(for error: any Error) -> String? {
        switch error {
        case let error as PostgresError where ExitStatus(error) == .configuration:
            error.code == .schema ? nil : "run: jobs migrate"
        case let error as StripeError where error.kind == .unauthorized: "check STRIPE_API_KEY"
        case is StripeError, is StripeUnreachable: "what was begun goes on with the next run"
        case is PostgresError where ExitStatus(error) == .unavailable:
            "check DATABASE_URL and the server"
        case let error as ClickHouseError:
            switch error.code {
            case .server(60): "run: jobs migrate"
            case .unreachable, .authentication: "check CLICKHOUSE_URL and the server"
            default: nil
            }
        default: nil
        }
    }
}
