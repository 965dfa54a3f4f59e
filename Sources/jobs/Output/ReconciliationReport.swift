internal import Billing
internal import Exact
internal import Foundation
internal import Usage

/// What a reconciliation found.
struct ReconciliationReport {
    let months: [CivilMonth]
    var drifts: [Drift] = []
    private(set) var compared = 0
    private var unfinished = 0

    init(months: [CivilMonth]) {
        self.months = months
    }

    mutating func add(_ result: StripeReconciliation.Result) {
        drifts += result.drifts
        compared += result.compared
        unfinished += result.unfinished
    }

    var healed: Int { drifts.count { $0.isHealed } }
    var needsAPerson: Bool { healed < drifts.count }

    /// As a JSON object.
    var figures: String {
        let causes = Drift.Cause.allCases.compactMap { cause -> String? in
            let count = drifts.count { $0.cause == cause }
            return count == 0 ? nil : "\"\(cause.rawValue)\":\(count)"
        }
        return """
            {"compared":\(compared),"unfinished":\(unfinished),"drifts":\(drifts.count),\
            "healed":\(healed),"causes":{\(causes.joined(separator: ","))}}
            """
    }

    func print(_ format: ListFormat) throws {
        var listing = Listing(Self.columns, format: format)
        if format != .table || !drifts.isEmpty {
            for drift in drifts { try listing.add(Self.cells(drift)) }
            try listing.finish()
        }
        guard format == .table else { return }
        let names = months.map(String.init(describing:)).joined(separator: ", ")
        guard !months.isEmpty else {
            try printLine("nothing was sent to Stripe in these months")
            return
        }
        try printLine(
            "\(grouped(compared)) invoices of \(names) compared: \(grouped(drifts.count)) drifts, "
                + "\(grouped(healed)) of them mended"
                + (unfinished == 0 ? "" : "; \(grouped(unfinished)) are still being sent"))
    }

    func writeCSV(to path: String) throws {
        var writer = CSVWriter()
        for column in Self.columns { writer.text(column.name) }
        writer.endRow()
        for drift in drifts {
            for cell in Self.cells(drift) { cell.append(to: &writer) }
            writer.endRow()
        }
        do {
            try Data(writer.takeBytes()).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure(
                .usage, "--output \(path) cannot be written: \(error.localizedDescription)")
        }
    }

    private static let columns: [Listing.Column] = [
        .init("slot"), .init("customer_id"), .init("invoice_id"),
        .init("stripe_invoice_id", isInTable: false), .init("side"), .init("cause"),
        .init("currency"), .init("ledger_minor"), .init("other_minor"), .init("difference_minor"),
        .init("difference_percent"), .init("healed"), .init("detail"),
    ]

    private static func cells(_ drift: Drift) -> [Cell] {
        func money(_ minor: Int64) -> Cell {
            drift.currency.map { .money(minor, $0) } ?? .integer(minor)
        }
        return [
            .text(drift.slot), .text(drift.customerID), .text(drift.invoiceID),
            .text(drift.stripeInvoiceID), .text(drift.side.rawValue), .text(drift.cause.rawValue),
            .text(drift.currency?.code), money(drift.ledgerMinor), money(drift.otherMinor),
            money(drift.differenceMinor), .decimal(drift.differencePercent),
            .text(drift.isHealed ? "yes" : "no"), .text(drift.detail),
        ]
    }
}
