internal import Ledger

/// One invoice, from events to cents, and what happened to it.
struct InvoicePage {
    let explanation: InvoiceExplanation
    /// Of the person who looks at it; `nil`: nothing can be changed.
    let token: String?

    private var invoice: Invoice { explanation.invoice }

    var title: String { "Invoice \(invoice.invoiceID)" }

    var body: HTML {
        let customer = PageFrame.address(
            ["months", invoice.slot], [("customer", invoice.customerID)])
        var facts: [(String, HTML)] = [
            ("Customer", "<a href=\"\(customer)\">\(invoice.customerID)</a>"),
            ("Status", "\(invoice.status)"),
            (
                "Period",
                "\(HTML.time(invoice.start)) until \(HTML.time(invoice.end)) UTC (\(invoice.timezone))"
            ),
            ("Plan", "\(invoice.plan), catalog \(invoice.catalogVersion)"),
            ("Usage", "up to batch \(invoice.cutoffBatch.map { "\($0)" } ?? "-")"),
        ]
        if invoice.kind == Proposal.Kind.supplementary.rawValue {
            facts.append(("Kind", "supplementary, beside the month's own invoice"))
        }
        if let id = invoice.stripeInvoiceID {
            facts.append(("Stripe", "\(id) (\(invoice.mode ?? "?") mode)"))
        }
        if let reason = invoice.holdReason { facts.append(("Held", "<strong>\(reason)</strong>")) }
        let list: [HTML] = facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }
        return """
            <dl>\(list)</dl>
            \(lines)
            \(corrections)
            \(forms)
            \(journal)
            """
    }

    private var lines: HTML {
        var rows: [[HTML]] = invoice.lines.map { line in
            let tiers: [HTML] = line.tiers.map { "<br><small>\($0.words)</small>" }
            return [
                "\(line.description)\(tiers)", .text(line.events.map { grouped($0) }),
                .text(line.quantity.map { grouped($0) }),
                "\(money(line.amountMinor, invoice.currency))",
            ]
        }
        rows.append([
            "<strong>Total</strong>", "", "",
            "<strong>\(money(invoice.totalMinor, invoice.currency))</strong>",
        ])
        return HTML.table(
            "From events to the total", ["Line", "Events", "Quantity", "Amount"], rows,
            numbers: [1, 2, 3])
    }

    /// What was proposed to make up for late usage, and what became of it.
    private var corrections: HTML {
        guard !explanation.proposals.isEmpty else { return "" }
        let rows: [[HTML]] = explanation.proposals.map { proposal in
            let lines: [HTML] = proposal.lines.map {
                "<br><small>\($0.description): \(money($0.amountMinor, proposal.currency))</small>"
            }
            return [
                "\(proposal.kind.name) \(proposal.id)\(lines)", outcome(proposal),
                .text(proposal.decidedBy ?? proposal.proposedBy), .text(proposal.reason),
                "\(money(proposal.amountMinor, proposal.currency))",
            ]
        }
        return HTML.table(
            "Corrections", ["Proposed", "Status", "Who", "Why", "Amount"], rows, numbers: [4])
    }

    private func outcome(_ proposal: Proposal) -> HTML {
        if proposal.status == .open {
            return "open: <code>jobs invoices approve|reject \(proposal.id) --reason ...</code>"
        }
        if let id = proposal.supplementaryID {
            return "\(proposal.status.rawValue): \(PageFrame.link(id, "invoices", id))"
        }
        return "\(proposal.status.rawValue)\(proposal.stripeCreditNoteID.map { ", \($0)" } ?? "")"
    }

    private var forms: HTML {
        guard let token else { return "" }
        let (verb, label) =
            invoice.holdReason == nil ? ("hold", "Hold") : ("release", "Release")
        return PageFrame.form(
            PageFrame.address(["invoices", invoice.invoiceID, verb]), label, id: verb, token: token)
    }

    private var journal: HTML {
        let rows: [[HTML]] = explanation.journal.map { event in
            [
                .time(event.recordedAt), "\(event.event)",
                "\(event.status)\(event.holdReason.map { " (\($0))" } ?? "")",
                .text(event.detail), .text(event.actor),
            ]
        }
        return HTML.table("Journal", ["When", "What", "Status", "Detail", "Who"], rows)
    }
}
