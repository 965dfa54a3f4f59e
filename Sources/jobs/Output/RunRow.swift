internal import Exact
internal import Ledger

/// A slot or an attempt as a row of a list, and as text.
enum RunRow {
    static let columns: [Listing.Column] = [
        .init("job"), .init("slot"), .init("status"), .init("skip_reason"),
        .init("due_at"), .init("attempts"), .init("started_at"),
        .init("finished_at", isInTable: false), .init("duration_seconds"),
        .init("exit_code"), .init("holder", isInTable: false),
        .init("program_version", isInTable: false), .init("error", isInTable: false),
        .init("figures", isInTable: false),
    ]

    static func cells(_ run: RunHistory.Run) -> [Cell] {
        [
            .text(run.job), .text(run.slot), .text(run.status), .text(run.skipReason),
            .text(text(run.dueAt)), .integer(Int64(run.attempts)), .text(text(run.startedAt)),
            .text(text(run.finishedAt)), .decimal(run.durationSeconds),
            .integer(run.exitCode.map { Int64($0) }), .text(run.holder),
            .text(run.programVersion), .text(run.error), .json(run.figures ?? "null"),
        ]
    }

    static func explain(_ run: RunHistory.Run, _ attempts: [RunHistory.Run]) throws {
        let reason = run.skipReason.map { ": left out by the policy \($0)" } ?? ""
        try printLine("\(run.job) \(run.slot ?? "-")  \(run.status)\(reason)")
        if let due = run.dueAt { try printLine("due at    \(due)") }
        for attempt in attempts {
            try printLine()
            let exit = attempt.exitCode.map { ", exit \($0)" } ?? ""
            try printLine(
                "\(text(attempt.startedAt) ?? "-")  \(attempt.status)\(exit) after \(attempt.durationSeconds ?? "-") s"
            )
            try printLine(
                "          \(attempt.holder ?? "-"), jobs \(attempt.programVersion ?? "-")")
            if let error = attempt.error { try printLine("          \(error)") }
            if let figures = attempt.figures { try printLine("          \(figures)") }
        }
    }

    private static func text(_ instant: Instant?) -> String? { instant.map { "\($0)" } }
}
