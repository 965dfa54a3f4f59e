internal import Exact
internal import Foundation
internal import Ledger

/// A month's invoice lines, one a row, added up on the way.
struct InvoiceExport {
    private let month: CivilMonth
    private let format: ListFormat
    private var listing: Listing
    private var invoices: Int64 = 0
    private var lines = 0
    private var totals: [Currency: Int64] = [:]

    init(_ month: CivilMonth, format: ListFormat) {
        self.month = month
        self.format = format
        listing = Listing(
            [
                "invoice_id", "customer_id", "slot", "status", "hold_reason", "currency",
                "line_id", "metric", "quantity", "amount_minor", "description",
                "invoice_total_minor", "events", "tiers",
            ].map { .init($0) }, format: format)
    }

    mutating func add(_ invoice: Invoice) throws {
        invoices += 1
        lines += invoice.lines.count
        totals[invoice.currency, default: 0] += invoice.lines.reduce(0) { $0 + $1.amountMinor }
        // An invoice without lines is a row too: no invoice disappears from the export.
        let rows: [InvoiceLine?] = invoice.lines.isEmpty ? [nil] : invoice.lines
        for line in rows {
            try listing.add([
                .text(invoice.invoiceID), .text(invoice.customerID), .text(invoice.slot),
                .text(invoice.status), .text(invoice.holdReason), .text(invoice.currency.code),
                .text(line?.lineID), .text(line?.metric), .decimal(line?.quantity),
                .integer(line?.amountMinor), .text(line?.description),
                .integer(invoice.totalMinor), .integer(line?.events), try tiers(of: line),
            ])
        }
    }

    mutating func finish() throws { try listing.finish() }

    /// For programs as data, in spreadsheets as words.
    private func tiers(of line: InvoiceLine?) throws -> Cell {
        guard format == .json else {
            return .text(line?.tiers.map(\.words).joined(separator: "; "))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return .json(String(decoding: try encoder.encode(line?.tiers ?? []), as: UTF8.self))
    }

    /// Whether the rows are all of the ledger's invoices, and come to the same.
    func tiesOut(_ statuses: [BillingStatus]) -> Bool {
        var ledger: [Currency: Int64] = [:]
        for status in statuses { ledger[status.currency, default: 0] += status.totalMinor }
        return ledger == totals && statuses.reduce(0) { $0 + $1.invoices } == invoices
    }

    /// What the rows come to, and who has none.
    ///
    /// - Parameter run: the last one that billed the month.
    func summary(tiesOut: Bool, run: (figures: String, finished: String)?) -> String {
        let sums = totals.sorted { $0.key.code < $1.key.code }.map { money($0.value, $0.key) }
        let verdict =
            tiesOut
            ? "as much as the ledger's invoices"
            : "NOT AS MUCH AS THE LEDGER'S INVOICES; run again if billing was at work"
        let come = ([grouped(lines) + " lines"] + sums).joined(separator: ", ")
        let first = "\(month): \(grouped(invoices)) invoices with \(come): \(verdict)\n"
        guard let run else { return first + "no run that billed the month is on record\n" }
        guard let figures = BilledFigures.read(run.figures) else { return first }
        let others = figures.withoutInvoice.map { "\($0.name.lowercased()) (\(grouped($0.count)))" }
        return first
            + "customers without an invoice, as the run of \(run.finished) UTC counted: "
            + others.joined(separator: "; ") + "\n"
    }
}
