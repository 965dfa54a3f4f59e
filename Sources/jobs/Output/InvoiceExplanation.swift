internal import Billing
internal import Exact
internal import Ledger

/// One invoice, explained from events to cents, with its journal.
struct InvoiceExplanation {
    let invoice: Invoice
    let journal: [InvoiceEvent]
    let attempts: [InvoiceAttempt]
    /// What was proposed to make up for late usage.
    let proposals: [Proposal]

    static func read(_ id: String, _ live: Live) async throws -> InvoiceExplanation {
        let store = InvoiceStore(pool: live.pool)
        return InvoiceExplanation(
            invoice: try await store.invoice(id), journal: try await store.journal(of: id),
            attempts: try await store.attempts(of: id),
            proposals: try await ProposalStore(pool: live.pool).list(.init(invoiceID: id)))
    }

    func print() throws {
        let code = invoice.currency.code.uppercased()
        try printLine("\(invoice.invoiceID)  \(invoice.status)")
        if let reason = invoice.holdReason {
            let advice =
                Hold(rawValue: reason)?.advice
                ?? "look at the journal below, then: jobs invoices release \(invoice.invoiceID) --reason ..."
            try printLine("held      \(reason): \(advice)")
        }
        if invoice.kind != "regular" {
            try printLine("kind      \(invoice.kind), beside the month's own invoice")
        }
        try printLine("customer  \(invoice.customerID)")
        try printLine(
            "period    \(invoice.slot): from \(invoice.start) until \(invoice.end) (\(invoice.timezone))"
        )
        if let id = invoice.stripeInvoiceID {
            try printLine(
                "stripe    \(id) (\(invoice.mode ?? "?") mode), \(invoice.recoveryPoint ?? "not there yet")"
            )
        }
        try printLine("plan      \(invoice.plan), catalog \(invoice.catalogVersion)")
        try printLine("inputs    \(invoice.inputHash), tz database \(invoice.tzdataVersion)")
        try printLine()
        for line in invoice.lines {
            let events = line.events.map { "  (of \(grouped($0)) events)" } ?? ""
            try printLine(
                "\(pad(grouped(invoice.currency.format(line.amountMinor)))) \(code)  \(line.description)\(events)"
            )
            for tier in line.tiers { try printLine("\(pad(""))      \(tier.words)") }
        }
        try printLine("\(pad(grouped(invoice.currency.format(invoice.totalMinor)))) \(code)  total")
        for proposal in proposals {
            try printLine(
                "\(pad(grouped(proposal.currency.format(proposal.amountMinor)))) \(code)  \(proposal.words)"
            )
        }
        try printLine()
        for (_, line) in history { try printLine(line) }
    }

    /// The journal and the requests, in order of time.
    private var history: [(at: Instant, line: String)] {
        let events = journal.map { event in
            var line = "\(event.recordedAt)  \(event.event)  \(event.status)"
            if let reason = event.holdReason { line += " (\(reason))" }
            if event.event == "computed" {
                line +=
                    "  \(grouped(invoice.currency.format(event.totalMinor))) \(event.currency.uppercased())"
                    + "  catalog \(event.catalogVersion), inputs \(event.inputHash.prefix(12))"
            }
            if let detail = event.detail { line += "  \(detail)" }
            if let actor = event.actor { line += "  by \(actor)" }
            return (at: event.recordedAt, line: line)
        }
        let requests = attempts.map { attempt in
            var line = "\(attempt.sentAt)    POST \(attempt.path)  key \(attempt.idempotencyKey)"
            switch (attempt.httpStatus, attempt.answeredAt) {
            case (let status?, let at?):
                line += "  \(status) after \(at.milliseconds - attempt.sentAt.milliseconds) ms"
            case (nil, _?): line += "  no answer"
            default:
                line += "  nothing was written down; \(attempt.outcome ?? "not known") in the end"
            }
            if let id = attempt.requestID { line += "  \(id)" }
            if attempt.isReplayed == true { line += "  replayed" }
            if let error = attempt.error { line += "  \(error)" }
            return (at: attempt.sentAt, line: line)
        }
        // Stable: an event that was written in the same millisecond as a request came before or after
        // it in the order of its list.
        return (events + requests).enumerated().sorted {
            ($0.element.at.milliseconds, $0.offset) < ($1.element.at.milliseconds, $1.offset)
        }.map(\.element)
    }

    private func pad(_ text: String) -> String {
        String(repeating: " ", count: max(0, 16 - text.count)) + text
    }
}

extension Proposal {
    /// What became of it, for people.
    fileprivate var words: String {
        let made = supplementaryID ?? stripeCreditNoteID
        return "\(kind.name) proposed (\(id)): \(status.rawValue)"
            + (made.map { ", \($0)" } ?? "")
            + (status == .open ? "; jobs invoices approve|reject \(id) --reason ..." : "")
    }
}

extension Proposal.Kind {
    /// For people.
    var name: String {
        switch self {
        case .supplementary: "supplementary invoice"
        case .creditNote: "credit note"
        }
    }
}

extension InvoiceLine.Tier {
    /// 1,000 x 0.002 + 5, up to 10,000.
    var words: String {
        let flat = flatAmount == "0" ? "" : " + \(flatAmount)"
        let end = upTo.map { ", up to \(grouped($0))" } ?? ""
        return "\(grouped(quantity)) x \(unitAmount)\(flat)\(end)"
    }
}
