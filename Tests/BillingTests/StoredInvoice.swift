import Exact
import Foundation

@testable import Ledger
@testable import Postgres

extension Invoice {
    /// A computed invoice as the ledger gives it back, without a database.
    init(stored invoice: ComputedInvoice) throws {
        let lines = try invoice.lines.map { line in
            InvoiceLine(
                lineID: line.lineID, metric: line.metric, quantity: line.quantity.map { "\($0)" },
                amountMinor: line.amountMinor, description: line.description,
                tiers: try JSONDecoder().decode(
                    [InvoiceLine.Tier].self, from: Data(line.tiers.utf8)), events: line.events)
        }
        let columns: KeyValuePairs<String, String?> = [
            "invoice_id": invoice.invoiceID, "customer_id": invoice.customerID,
            "slot": "\(invoice.slot)", "timezone": invoice.timezone,
            "start_ms": String(invoice.start.milliseconds),
            "end_ms": String(invoice.end.milliseconds), "kind": "regular", "revision": "0",
            "mode": nil, "status": invoice.status.rawValue, "hold_reason": invoice.holdReason,
            "currency": invoice.currency.code, "total_minor": String(invoice.totalMinor),
            "plan": invoice.plan, "stripe_customer_id": invoice.stripeCustomerID,
            "collection_method": invoice.collectionMethod.rawValue,
            "days_until_due": invoice.daysUntilDue.map(String.init), "stripe_invoice_id": nil,
            "catalog_version": invoice.catalogVersion, "cutoff_batch": nil,
            "input_hash": invoice.inputHash, "tzdata_version": invoice.tzdataVersion,
            "carried_minor": String(invoice.carriedMinor), "recovery_point": nil,
            "lines": String(decoding: try JSONEncoder().encode(lines), as: UTF8.self),
        ]
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for (_, text) in columns {
            starts.append(text == nil ? ~bytes.count : bytes.count)
            bytes += (text ?? "").utf8
        }
        starts.append(bytes.count)
        let table = ResultTable(
            statement: "stored", names: columns.map(\.key), bytes: bytes, starts: starts)
        try self.init(PostgresRow(table: table, index: 0))
    }
}
