internal import Billing
internal import Exact
internal import Ledger
internal import Usage

/// What a billing run did, for whoever launched it.
struct BillingReport {
    let summary: BillingSummary
    let metrics: [Metric]
    /// The last batch of usage that counted.
    let cutoffBatch: Int64
    let isSent: Bool

    func printText() throws {
        let figures = summary.figures
        try printLine("Billing of \(summary.slot)" + (isSent ? "" : ", dry-run: nothing was sent"))
        try printLine(
            "usage     \(grouped(figures.events)) events counted; \(grouped(figures.duplicates)) duplicates, "
                + "\(grouped(figures.conflicts)) conflicts, \(grouped(summary.quarantined)) quarantined, "
                + "\(grouped(summary.late)) late"
        )
        try printLine("due       \(text(summary.due))")
        try printLine("carried   \(text(summary.carried))  below Stripe's minimum")
        try printLine("zero      \(text(summary.zero))  no invoice is sent")
        if summary.held.isEmpty { try printLine("held      0") }
        for (reason, group) in summary.held.sorted(by: { $0.key < $1.key }) {
            try printLine(
                "held      \(text(group))  \(reason): \(Hold(rawValue: reason)?.advice ?? "")")
        }
        try printOthers()
        try printLine("worth     \(text(summary.worth))  of usage, held ones left out")
        let tie = summary.tiesOut ? "the counts tie out" : "THE COUNTS DO NOT TIE OUT"
        try printLine("customers \(grouped(summary.customers)): \(tie)")
        let changes = summary.changes
        try printLine(
            "invoices  \(grouped(changes.added)) added, \(grouped(changes.changed)) changed, "
                + "\(grouped(changes.unchanged)) unchanged, \(grouped(changes.superseded)) superseded, "
                + "\(grouped(changes.submitted)) settled before and left as they are")
        if changes.overlapping > 0 {
            try printLine(
                "overlaps  \(grouped(changes.overlapping)) not taken: an invoice that was sent covers a part "
                    + "of the period; correct the customers' zones")
        }
        if !changes.slotsToBillAgain.isEmpty {
            let slots = changes.slotsToBillAgain.joined(separator: ", ")
            try printLine("again     bill \(slots) again: customers' zones changed")
        }
        try printUnbilled()
    }

    func printJSON() throws {
        let figures = summary.figures
        let changes = summary.changes
        var members = [
            "\"slot\":\(JSONText.string("\(summary.slot)"))",
            "\"customers\":\(summary.customers)", "\"ties_out\":\(summary.tiesOut)",
            "\"events\":\(figures.events)", "\"duplicates\":\(figures.duplicates)",
            "\"conflicts\":\(figures.conflicts)", "\"quarantined\":\(summary.quarantined)",
            "\"late\":\(summary.late)",
            "\"due\":\(json(summary.due))", "\"carried\":\(json(summary.carried))",
            "\"skipped_zero\":\(json(summary.zero))",
        ]
        let held = summary.held.sorted { $0.key < $1.key }
            .map { "\(JSONText.string($0.key)):\(json($0.value))" }
        members += [
            "\"held\":{\(held.joined(separator: ","))}",
            "\"unmapped\":\(json(summary.unmapped))",
            "\"inactive\":\(summary.inactive)",
            "\"inactive_with_usage\":\(json(summary.inactiveWithUsage))",
            "\"not_closed\":\(summary.notClosed)",
            "\"nothing_billable\":\(summary.nothingBillable)",
            "\"not_chosen\":\(summary.notChosen)",
            "\"added\":\(changes.added)", "\"changed\":\(changes.changed)",
            "\"unchanged\":\(changes.unchanged)", "\"superseded\":\(changes.superseded)",
            "\"submitted\":\(changes.submitted)", "\"overlapping\":\(changes.overlapping)",
            "\"bill_again\":[\(changes.slotsToBillAgain.map { JSONText.string($0) }.joined(separator: ","))]",
        ]
        try printLine("{\(members.joined(separator: ","))}")
    }

    /// The counts alone, for the run's history: its size does not grow with the number of customers.
    var figures: String {
        let changes = summary.changes
        let members = [
            "\"customers\":\(summary.customers)", "\"events\":\(summary.figures.events)",
            "\"duplicates\":\(summary.figures.duplicates)",
            "\"conflicts\":\(summary.figures.conflicts)",
            "\"due\":\(json(summary.due))", "\"carried\":\(json(summary.carried))",
            "\"skipped_zero\":\(json(summary.zero))", "\"held\":\(summary.heldCount)",
            "\"unmapped\":\(summary.unmapped.count)", "\"inactive\":\(summary.inactive)",
            "\"not_closed\":\(summary.notClosed)",
            "\"nothing_billable\":\(summary.nothingBillable)",
            "\"not_chosen\":\(summary.notChosen)", "\"cutoff_batch\":\(cutoffBatch)",
            "\"late\":\(summary.late)",
            "\"quarantined\":\(summary.quarantined)", "\"added\":\(changes.added)",
            "\"changed\":\(changes.changed)", "\"unchanged\":\(changes.unchanged)",
        ]
        return "{\(members.joined(separator: ","))}"
    }

    private func printOthers() throws {
        let unmapped = summary.unmapped.count
        try printLine(
            "unmapped  \(grouped(unmapped))"
                + (unmapped > 0 ? "  usage without terms: jobs import customers" : ""))
        try printLine("inactive  \(grouped(summary.inactive))")
        if let end = summary.notClosedUntil {
            try printLine(
                "open      \(grouped(summary.notClosed))  not closed before \(end): run again then")
        }
        try printLine(
            "no usage  \(grouped(summary.nothingBillable))  without terms, and nothing that is metered"
        )
        if summary.notChosen > 0 {
            try printLine("left out  \(grouped(summary.notChosen))  by --customers")
        }
    }

    /// All of them: a person must find out who they are.
    private func printUnbilled() throws {
        for (title, customers) in [
            ("unmapped", summary.unmapped), ("inactive, with usage", summary.inactiveWithUsage),
        ] where !customers.isEmpty {
            try printLine()
            try printLine("\(title):")
            for customer in customers {
                try printLine("  \(customer.customerID)  \(text(customer.usage))")
            }
        }
    }

    private func text(_ group: BillingSummary.Group) -> String {
        let totals = group.totalMinor.sorted { $0.key.code < $1.key.code }
            .map { "\(grouped($0.key.format($0.value))) \($0.key.code.uppercased())" }
        return ([grouped(group.count)] + totals).joined(separator: "  ")
    }

    private func text(_ usage: [MetricUsage]) -> String {
        zip(metrics, usage).filter { $0.1.events > 0 }
            .map { metric, used in
                let unreadable = used.unparsable > 0 ? " (\(used.unparsable) unreadable)" : ""
                return
                    "\(metric.code) \(grouped(used.quantity.description)) \(metric.unit)\(unreadable)"
            }
            .joined(separator: ", ")
    }

    private func json(_ group: BillingSummary.Group) -> String {
        let totals = group.totalMinor.sorted { $0.key.code < $1.key.code }
            .map { "\(JSONText.string($0.key.code)):\($0.value)" }
        return "{\"count\":\(group.count),\"total_minor\":{\(totals.joined(separator: ","))}}"
    }

    private func json(_ customers: [BillingSummary.Unbilled]) -> String {
        let items = customers.map { customer in
            let usage = zip(metrics, customer.usage).filter { $0.1.events > 0 }
                .map { "\(JSONText.string($0.0.code)):\"\($0.1.quantity)\"" }
            return
                "{\"customer_id\":\(JSONText.string(customer.customerID)),\"usage\":{\(usage.joined(separator: ","))}}"
        }
        return "[\(items.joined(separator: ","))]"
    }
}
