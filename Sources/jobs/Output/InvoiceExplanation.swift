internal import Billing
internal import Exact
internal import Ledger

/// One invoice, explained from quantities to cents, with its journal.
struct InvoiceExplanation {
    let invoice: Invoice
    let journal: [InvoiceEvent]

    func print() throws {
        let code = invoice.currency.code.uppercased()
        try printLine("\(invoice.invoiceID)  \(invoice.status)")
        if let reason = invoice.holdReason {
            try printLine("held      \(reason): \(Hold(rawValue: reason)?.advice ?? "")")
        }
        try printLine("customer  \(invoice.customerID)")
        try printLine(
            "period    \(invoice.slot): from \(invoice.start) until \(invoice.end) (\(invoice.timezone))"
        )
        try printLine("plan      \(invoice.plan), catalog \(invoice.catalogVersion)")
        try printLine("inputs    \(invoice.inputHash), tz database \(invoice.tzdataVersion)")
        try printLine()
        for line in invoice.lines {
            try printLine(
                "\(pad(grouped(invoice.currency.format(line.amountMinor)))) \(code)  \(line.description)"
            )
            for tier in line.tiers { try printLine("\(pad(""))      \(text(tier))") }
        }
        try printLine("\(pad(grouped(invoice.currency.format(invoice.totalMinor)))) \(code)  total")
        try printLine()
        for event in journal {
            try printLine(
                "\(event.recordedAt)  \(event.event)  \(event.status)\(event.holdReason.map { " (\($0))" } ?? "")"
                    + "  \(grouped(invoice.currency.format(event.totalMinor))) \(code)"
                    + "  catalog \(event.catalogVersion), inputs \(event.inputHash.prefix(12))")
        }
    }

    private func text(_ tier: InvoiceLine.Tier) -> String {
        let flat = tier.flatAmount == "0" ? "" : " + \(tier.flatAmount)"
        let end = tier.upTo.map { ", up to \(grouped($0))" } ?? ""
        return "\(grouped(tier.quantity)) x \(tier.unitAmount)\(flat)\(end)"
    }

    private func pad(_ text: String) -> String {
        String(repeating: " ", count: max(0, 16 - text.count)) + text
    }
}
