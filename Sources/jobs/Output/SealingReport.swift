internal import Ledger
internal import Logging
internal import Synchronization
internal import Usage

/// What a run of seal-usage did, for whoever launched it.
struct SealingReport {
    let summary: UsageSealer.Summary
    /// If all was sealed anew.
    var rebuild: UsageSealer.Rebuild?

    var status: ExitStatus {
        summary.waiting > 0 || rebuild?.isActive == false ? .needsAPerson : .done
    }

    func printText() throws {
        try printSummary()
        if let rebuild { try printText(rebuild) }
    }

    private func printText(_ rebuild: UsageSealer.Rebuild) throws {
        guard rebuild.differing > 0 else {
            return try printLine("rebuilt     nothing differs; the rebuilt usage is active")
        }
        try printLine(
            "differs     \(grouped(rebuild.differing)) days of customers and metrics: \(rebuild.examples)"
        )
        try printLine(
            rebuild.isActive
                ? "rebuilt     the rebuilt usage is active; bill unsent months again"
                : "kept        what was there stays active; --rebuild --accept-differences replaces it"
        )
    }

    private func printSummary() throws {
        let figures = summary.figures
        guard !summary.batches.isEmpty || summary.backfilledMetrics > 0 else {
            return try printLine("nothing new: sealed up to batch \(summary.usage.cutoff)")
        }
        try printLine("sealed      \(batches)")
        try printLine("events      \(grouped(figures.events))")
        try printLine("duplicates  \(grouped(figures.duplicates))")
        try printLine(
            "conflicts   \(grouped(figures.conflicts))\(advice(figures.conflicts, "conflicts"))")
        try printLine(
            "quarantined \(grouped(figures.quarantined))\(advice(figures.quarantined, "quarantined"))"
        )
        if summary.backfilledMetrics > 0 {
            try printLine(
                "metrics     \(summary.backfilledMetrics) new ones, added up over all that was sealed before"
            )
        }
        for late in summary.late {
            try printLine(
                "late        \(grouped(late.events)) events of \(late.slot), which was billed before"
            )
        }
    }

    func printJSON() throws {
        let examples = rebuild.map { ",\"examples\":\(JSONText.string($0.examples))" }
        try printLine("\(json.dropLast())\(examples ?? "")}")
    }

    /// One object, which names no customer.
    var json: String {
        let figures = summary.figures
        let late = summary.late.map { "{\"slot\":\"\($0.slot)\",\"events\":\($0.events)}" }
        let rebuilt = rebuild.map { ",\"differing\":\($0.differing),\"is_active\":\($0.isActive)" }
        return """
            {"batches":\(summary.batches.count),"cutoff_batch":\(summary.usage.cutoff),\
            "events":\(figures.events),"duplicates":\(figures.duplicates),\
            "conflicts":\(figures.conflicts),"quarantined":\(figures.quarantined),\
            "waiting":\(summary.waiting),"backfilled_metrics":\(summary.backfilledMetrics),\
            "late":[\(late.joined(separator: ","))]\(rebuilt ?? "")}
            """
    }

    var metadata: Logger.Metadata {
        [
            "batches": "\(summary.batches.count)", "cutoff_batch": "\(summary.usage.cutoff)",
            "events": "\(summary.figures.events)", "duplicates": "\(summary.figures.duplicates)",
            "conflicts": "\(summary.figures.conflicts)",
            "quarantined": "\(summary.figures.quarantined)",
        ]
    }

    private var batches: String {
        guard let first = summary.batches.first, let last = summary.batches.last else {
            return "none"
        }
        return first == last ? "batch \(first)" : "batches \(first) to \(last)"
    }

    private func advice(_ count: Int64, _ kind: String) -> String {
        count > 0 ? "  see jobs usage show --only \(kind)" : ""
    }
}

/// Says how far sealing is, on a terminal.
enum SealingProgress {
    static func run<Result>(
        _ body: (@escaping @Sendable (UsageSealer.Progress) -> Void) async throws -> Result
    ) async throws -> Result {
        let progress = Mutex(Progress("sealing usage"))
        defer { progress.withLock { $0.finish() } }
        return try await body { state in
            progress.withLock {
                $0.update("batch \(state.batch) of \(state.batches), \(grouped(state.rows)) rows")
            }
        }
    }
}
