internal import Digest
package import Exact
internal import Foundation
package import Ledger
internal import Usage

/// The requests that a run would send, as a file that a person can read and a later run can check: a
/// header, then one request a line. The same invoices make the same bytes, whenever it is written.
///
/// The lines go to a file of their own first, because the header states their hash; the plan appears
/// under its name only when it is whole.
package final class PlanFileWriter {
    private let path: String
    private let body: FileHandle
    private let requests: StripeRequests
    /// Lines that are not written yet.
    private var pending: [UInt8] = []
    private let bodyHash = SHA256Stream()
    private let termsHash = SHA256Stream()
    package private(set) var invoiceCount = 0
    package private(set) var requestCount = 0
    private var totals: [String: Int64] = [:]

    /// - Throws: what the file system says if the folder cannot be written to.
    package init(path: String, requests: StripeRequests) throws {
        self.path = path
        let bodyPath = "\(path).\(ProcessInfo.processInfo.processIdentifier).body"
        self.requests = requests
        try Data().write(to: URL(filePath: bodyPath))
        body = try FileHandle(forUpdating: URL(filePath: bodyPath))
        // Without a name from the start: a process that is killed leaves nothing behind.
        try FileManager.default.removeItem(atPath: bodyPath)
    }

    /// Appends an invoice's requests. Invoices come in order of customer.
    package func add(_ invoice: Invoice) throws {
        requestCount += Self.append(invoice, requests, to: &pending)
        if pending.count > 1 << 18 { try writePending() }
        let terms = [
            invoice.customerID, invoice.stripeCustomerID ?? "", invoice.plan, invoice.currency.code,
            invoice.timezone, invoice.collectionMethod, invoice.daysUntilDue.map(String.init) ?? "",
        ]
        termsHash.update(Array((terms.joined(separator: "\t") + "\n").utf8))
        invoiceCount += 1
        totals[invoice.currency.code, default: 0] += invoice.totalMinor
    }

    /// Appends the lines of an invoice.
    ///
    /// - Returns: how many there are.
    static func append(
        _ invoice: Invoice, _ requests: StripeRequests, to lines: inout [UInt8]
    ) -> Int {
        let all = requests.requests(for: invoice)
        for request in all {
            var line = PlanLine()
            line.add("invoice_id", invoice.invoiceID)
            line.add("input_hash", invoice.inputHash)
            line.add("step", request.step.rawValue)
            line.add("method", request.method)
            line.add("path", request.path)
            line.add("idempotency_key", request.idempotencyKey)
            line.add("body", request.body)
            line.end(in: &lines)
        }
        return all.count
    }

    private func writePending() throws {
        try body.write(contentsOf: pending)
        bodyHash.update(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Writes the header, and gives the file its name.
    package func finish(
        slot: CivilMonth, catalogVersion: String, catalogHash: String, cutoffBatch: Int64,
        account: BoundAccount?, programVersion: String
    ) throws {
        try writePending()
        var header = PlanLine()
        header.add("format", "meterflow-plan/1")
        header.add("slot", "\(slot)")
        header.add("ledger_id", requests.ledgerID)
        // Nothing before the ledger's first invoice was sent.
        header.add("account", account?.accountID)
        header.add("mode", account.map { $0.isLive ? "live" : "test" })
        header.add("cutoff_batch", Int(cutoffBatch))
        header.add("catalog_version", catalogVersion)
        header.add("catalog_sha256", catalogHash)
        header.add("terms_sha256", termsHash.hex())
        header.add("tzdata_version", BillingPeriod.timeZoneDataVersion)
        header.add("program_version", programVersion)
        header.add("invoices", invoiceCount)
        header.add("requests", requestCount)
        header.add("totals_minor", totals)
        header.add("requests_sha256", bodyHash.hex())
        // One name for all: what a killed process left is overwritten.
        let whole = "\(path).partial"
        try Data(header.bytes).write(to: URL(filePath: whole))
        let output = try FileHandle(forWritingTo: URL(filePath: whole))
        try output.seekToEnd()
        try body.seek(toOffset: 0)
        while let piece = try body.read(upToCount: 1 << 20), !piece.isEmpty {
            try output.write(contentsOf: piece)
        }
        try output.synchronize()
        try output.close()
        try body.close()
        guard rename(whole, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}

/// A line of a plan: JSON with its members in an order that people read.
private struct PlanLine {
    private var json: [UInt8] = [UInt8(ascii: "{")]

    mutating func add(_ name: String, _ text: String?) {
        addName(name)
        guard let text else {
            json += "null".utf8
            return
        }
        JSONString.append(text, to: &json)
    }

    mutating func add(_ name: String, _ number: Int) {
        addName(name)
        json += String(number).utf8
    }

    mutating func add(_ name: String, _ numbers: [String: Int64]) {
        addName(name)
        let members = numbers.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        json += "{\(members.joined(separator: ","))}".utf8
    }

    var bytes: [UInt8] { json + "}\n".utf8 }

    func end(in lines: inout [UInt8]) {
        lines += json
        lines += "}\n".utf8
    }

    private mutating func addName(_ name: String) {
        if json.count > 1 { json.append(UInt8(ascii: ",")) }
        JSONString.append(name, to: &json)
        json.append(UInt8(ascii: ":"))
    }
}
