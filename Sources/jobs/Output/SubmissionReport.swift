internal import Billing
internal import Exact
internal import Ledger

/// What was sent to Stripe, for whoever launched it.
struct SubmissionReport {
    let month: CivilMonth
    let isLive: Bool
    let summary: SubmissionSummary
    let sweep: AccountCheck.Sweep
    /// Invoices that are too small to be charged, and are owed from now on.
    let carried: Int
    let progress: SubmissionStore.Progress
    /// Whether nothing is left that a next run would send by itself; what is held or dead is a person's.
    let isComplete: Bool

    var needsAPerson: Bool {
        summary.needsAPerson || !sweep.unknown.isEmpty || progress.held > 0
            || progress.deadLetters > 0 || progress.unfinished > 0
    }

    func printText() throws {
        try printLine()
        try printLine("Stripe, \(isLive ? "live" : "test") mode")
        try printLine("sent      \(grouped(summary.collected))  by this run")
        try printLine(
            "in all    \(grouped(progress.collected))  of \(month) are at Stripe, mailed or being collected"
        )
        if summary.credited > 0 {
            try printLine("credited  \(grouped(summary.credited))  credit notes by this run")
        }
        if progress.computed > 0 {
            try printLine("to go     \(grouped(progress.computed))  not begun: run again")
        }
        if progress.unfinished > 0 {
            try printLine("begun     \(grouped(progress.unfinished))  not done yet: run again")
        }
        if carried > 0 {
            try printLine("owed      \(grouped(carried))  carried into the next invoice")
        }
        if progress.unsettled > 0 {
            try printLine(
                "small     \(grouped(progress.unsettled))  not owed yet: run the whole month again")
        }
        if summary.taken > 0 {
            try printLine("elsewhere \(grouped(summary.taken))  another run works on them")
        }
        if summary.changed > 0 {
            try printLine(
                "changed   \(grouped(summary.changed))  since they were computed: run again")
        }
        if sweep.strays > 0 {
            try printLine(
                "strays    \(grouped(sweep.strays))  drafts that requests left behind, deleted")
        }
        if progress.held > 0 {
            try printLine(
                "held      \(grouped(progress.held))  see jobs invoices show ID, then release it")
        }
        if progress.deadLetters > 0 {
            try printLine("dead      \(grouped(progress.deadLetters))  see jobs dead-letters list")
        }
        for (title, failures) in [
            ("held now", summary.held), ("dead letters now", summary.deadLetters),
            ("not answered", summary.unanswered),
        ] where !failures.isEmpty {
            try printLine()
            try printLine("\(title):")
            for failure in failures {
                try printLine(
                    "  \(failure.invoice.invoiceID)  \(failure.invoice.customerID)  \(failure.reason)"
                )
            }
        }
        if !sweep.unknown.isEmpty {
            try printLine()
            try printLine(
                "at Stripe under this ledger's name, and unknown to it; look at them there:")
            for id in sweep.unknown { try printLine("  \(id)") }
        }
    }

    func printJSON() throws {
        let members = [
            "\"slot\":\(JSONText.string("\(month)"))", "\"mode\":\"\(isLive ? "live" : "test")\"",
            "\"sent\":\(summary.collected)", "\"at_stripe\":\(progress.collected)",
            "\"computed\":\(progress.computed)", "\"unfinished\":\(progress.unfinished)",
            "\"held\":\(progress.held)", "\"dead_letters\":\(progress.deadLetters)",
            "\"taken\":\(summary.taken)", "\"changed\":\(summary.changed)",
            "\"carried\":\(carried)", "\"credit_notes\":\(summary.credited)",
            "\"strays_deleted\":\(sweep.strays)",
            "\"unknown_at_stripe\":[\(sweep.unknown.map { JSONText.string($0) }.joined(separator: ","))]",
        ]
        try printLine("{\(members.joined(separator: ","))}")
    }
}
