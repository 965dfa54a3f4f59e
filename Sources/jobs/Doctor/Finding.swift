internal import Glibc

/// One line of `jobs doctor`.
struct Finding: Sendable {
    enum Level: String, Sendable {
        case ok, warning, failure
    }

    let area: String
    let check: String
    let level: Level
    let message: String
    /// What to do.
    let advice: String?
    /// How the program ends because of it.
    let status: ExitStatus

    static func ok(_ area: String, _ check: String, _ message: String) -> Finding {
        Finding(
            area: area, check: check, level: .ok, message: message, advice: nil, status: .done)
    }

    static func warning(
        _ area: String, _ check: String, _ message: String, _ advice: String
    ) -> Finding {
        Finding(
            area: area, check: check, level: .warning, message: message, advice: advice,
            status: .needsAPerson)
    }

    static func failure(
        _ area: String, _ check: String, _ message: String, _ advice: String,
        _ status: ExitStatus = .configuration
    ) -> Finding {
        Finding(
            area: area, check: check, level: .failure, message: message, advice: advice,
            status: status)
    }

    /// A check that came to no end. A bug of ours stays one.
    static func failed(_ area: String, _ check: String, _ error: any Error) -> Finding {
        let status = ExitStatus(error)
        return failure(
            area, check, "\(error)".split(separator: "\n").joined(separator: " "),
            ExitStatus.advice(for: error) ?? "mend that, and ask again",
            status == .held ? .unavailable : status)
    }
}

extension [Finding] {
    /// Done, what needs a person, or the gravest failure.
    var status: ExitStatus { reduce(.done) { .gravest($0, $1.status) } }
}

/// `75 s`, `40 min`, `3 h`, `12 d`.
func age(_ seconds: Int64) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) d"
    }
}
