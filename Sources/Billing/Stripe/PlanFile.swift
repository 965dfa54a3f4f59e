internal import Digest
package import Exact
internal import Foundation
package import Ledger

/// The requests that a run would send, as a file that a person can read and a later run can check: a
/// header, then one request a line. The same invoices make the same bytes, whenever it is written.
///
/// The lines go to a file of their own first, because the header states their hash; the plan appears
/// under its name only when it is whole.
package final class PlanFileWriter {
    private let path: String
    private let bodyPath: String
    private let body: FileHandle
    private let requests: StripeRequests
    private let bodyHash = SHA256Stream()
    private let termsHash = SHA256Stream()
    package private(set) var invoiceCount = 0
    package private(set) var requestCount = 0
    private var totals: [String: Int64] = [:]

    /// - Throws: what the file system says if the folder cannot be written to.
    package init(path: String, ledgerID: String) throws {
        self.path = path
        bodyPath = "\(path).\(ProcessInfo.processInfo.processIdentifier).body"
        requests = StripeRequests(ledgerID: ledgerID)
        try Data().write(to: URL(filePath: bodyPath))
        body = try FileHandle(forWritingTo: URL(filePath: bodyPath))
    }

    deinit { try? FileManager.default.removeItem(atPath: bodyPath) }

    /// Appends an invoice's requests. Invoices come in order of customer.
    package func add(_ invoice: Invoice) throws {
        var lines = Data()
        for request in requests.requests(for: invoice) {
            lines += try Self.encode(PlanRequest(request, of: invoice))
            requestCount += 1
        }
        try body.write(contentsOf: lines)
        bodyHash.update(Array(lines))
        let terms = [
            invoice.customerID, invoice.stripeCustomerID ?? "", invoice.plan, invoice.currency.code,
            invoice.timezone, invoice.collectionMethod, invoice.daysUntilDue.map(String.init) ?? "",
        ]
        termsHash.update(Array((terms.joined(separator: "\t") + "\n").utf8))
        invoiceCount += 1
        totals[invoice.currency.code, default: 0] += invoice.totalMinor
    }

    /// Writes the header, and gives the file its name.
    package func finish(
        slot: CivilMonth, catalogVersion: String, catalogHash: String, programVersion: String
    ) throws {
        let header = PlanHeader(
            format: "meterflow-plan/1", slot: "\(slot)", account: nil, mode: "dry-run",
            cutoffBatch: nil, catalogVersion: catalogVersion, catalogSHA256: catalogHash,
            termsSHA256: termsHash.hex(), tzdataVersion: BillingPeriod.timeZoneDataVersion,
            programVersion: programVersion, invoices: invoiceCount, requests: requestCount,
            totalsMinor: totals, requestsSHA256: bodyHash.hex())
        try body.close()
        let whole = "\(bodyPath).whole"
        defer { try? FileManager.default.removeItem(atPath: whole) }
        try Self.encode(header).write(to: URL(filePath: whole))
        let output = try FileHandle(forWritingTo: URL(filePath: whole))
        let input = try FileHandle(forReadingFrom: URL(filePath: bodyPath))
        try output.seekToEnd()
        while let piece = try input.read(upToCount: 1 << 20), !piece.isEmpty {
            try output.write(contentsOf: piece)
        }
        try output.synchronize()
        try output.close()
        try input.close()
        guard rename(whole, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    private static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value) + Data("\n".utf8)
    }
}

/// The first line of a plan: what the requests were made from.
struct PlanHeader: Encodable {
    let format: String
    let slot: String
    /// Stripe's id of the account; unknown to a dry-run.
    let account: String?
    let mode: String
    let cutoffBatch: Int64?
    let catalogVersion: String
    let catalogSHA256: String
    let termsSHA256: String
    let tzdataVersion: String
    let programVersion: String
    let invoices: Int
    let requests: Int
    let totalsMinor: [String: Int64]
    /// SHA-256 of all that follows the header.
    let requestsSHA256: String

    enum CodingKeys: String, CodingKey {
        case format, slot, account, mode
        case cutoffBatch = "cutoff_batch"
        case catalogVersion = "catalog_version"
        case catalogSHA256 = "catalog_sha256"
        case termsSHA256 = "terms_sha256"
        case tzdataVersion = "tzdata_version"
        case programVersion = "program_version"
        case invoices, requests
        case totalsMinor = "totals_minor"
        case requestsSHA256 = "requests_sha256"
    }
}

/// A line of a plan.
struct PlanRequest: Encodable {
    let invoiceID: String
    let inputHash: String
    let step: String
    let method: String
    let path: String
    let idempotencyKey: String
    let body: String

    init(_ request: StripeRequest, of invoice: Invoice) {
        invoiceID = invoice.invoiceID
        inputHash = invoice.inputHash
        step = request.step.rawValue
        method = request.method
        path = request.path
        idempotencyKey = request.idempotencyKey
        body = request.body
    }

    enum CodingKeys: String, CodingKey {
        case invoiceID = "invoice_id"
        case inputHash = "input_hash"
        case step, method, path
        case idempotencyKey = "idempotency_key"
        case body
    }
}
