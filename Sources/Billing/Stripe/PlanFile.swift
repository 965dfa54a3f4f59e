internal import Digest
package import Exact
internal import Foundation
package import Ledger

/// A plan that was written earlier, to be applied: whole, and as it was written.
package struct PlanFile: Sendable {
    package struct Header: Sendable, Decodable {
        package let format: String
        package let slot: String
        let ledgerID: String
        let account: String?
        let mode: String?
        /// The last batch of sealed usage that was counted.
        package let cutoffBatch: Int64
        let catalogVersion: String
        let catalogSHA256: String
        let tzdataVersion: String
        package let invoices: Int
        let requestsSHA256: String

        enum CodingKeys: String, CodingKey {
            case format, slot, account, mode, invoices
            case ledgerID = "ledger_id"
            case cutoffBatch = "cutoff_batch"
            case catalogVersion = "catalog_version"
            case catalogSHA256 = "catalog_sha256"
            case tzdataVersion = "tzdata_version"
            case requestsSHA256 = "requests_sha256"
        }
    }

    /// What is no plan, or not any more.
    package struct Invalid: Error, CustomStringConvertible {
        package let description: String
    }

    /// Why a plan is not applied: something that it follows from has changed.
    package struct Outdated: Error, CustomStringConvertible {
        package let description: String

        init(_ what: String) {
            description = "\(what); make a new plan with --dry-run --requests FILE"
        }
    }

    /// How a plan stands beside the ledger.
    package struct Match: Sendable {
        /// Whose invoices are still to be sent.
        package var customers: [String] = []
        /// Invoices whose submission has begun before.
        package var begun = 0
    }

    private let path: String
    package let header: Header
    package let month: CivilMonth

    /// - Throws: ``Invalid``; what the file system says if the file cannot be read.
    package init(path: String) throws {
        self.path = path
        var lines = try FileLines(path: path)
        guard let first = try lines.next(),
            let header = try? JSONDecoder().decode(Header.self, from: Data(first)),
            header.format == "meterflow-plan/1", let month = CivilMonth(header.slot)
        else { throw Invalid(description: "\(path) is no plan of this program") }
        let hash = SHA256Stream()
        while let line = try lines.next() { hash.update(line) }
        guard hash.hex() == header.requestsSHA256 else {
            throw Invalid(
                description:
                    "\(path) was edited after it was written: its requests have another hash")
        }
        self.header = header
        self.month = month
    }

    /// Compares what the plan follows from, but for the usage.
    ///
    /// - Throws: ``Outdated``, naming what has changed.
    package func check(
        ledgerID: String, catalog: CatalogStore.Version, account: BoundAccount?
    ) throws {
        guard header.ledgerID == ledgerID else {
            throw Outdated("the plan is of another ledger, \(header.ledgerID)")
        }
        guard header.catalogVersion == catalog.version,
            header.catalogSHA256 == catalog.sourceSHA256
        else {
            throw Outdated(
                "the plan was priced by catalog \(header.catalogVersion), in force is \(catalog.version)"
            )
        }
        guard header.tzdataVersion == BillingPeriod.timeZoneDataVersion else {
            throw Outdated(
                "the plan was made with tz database \(header.tzdataVersion), this is \(BillingPeriod.timeZoneDataVersion)"
            )
        }
        if let planned = header.account, let account {
            let mode = account.isLive ? "live" : "test"
            guard planned == account.accountID, header.mode == mode else {
                throw Outdated(
                    "the plan is for Stripe's account \(planned) (\(header.mode ?? "?") mode), the ledger is bound to \(account.accountID) (\(mode) mode)"
                )
            }
        }
    }

    /// Compares the plan's requests, to the byte, with those that the ledger's invoices make now.
    ///
    /// - Throws: ``Outdated``, naming the first invoice that differs.
    package func match(_ invoices: InvoiceStore, _ requests: StripeRequests) async throws -> Match {
        var planned = try PlannedInvoices(path: path)
        var next = try planned.next()
        var match = Match()
        // Both are in order of customer and invoice.
        try await invoices.forEach(InvoiceFilter(slot: month)) { batch in
            for invoice in batch where invoice.invoiceID == next?.invoiceID {
                guard let plan = next else { break }
                guard plan.inputHash == invoice.inputHash else {
                    throw Outdated(
                        "usage or terms of \(invoice.customerID) have changed (\(invoice.invoiceID))"
                    )
                }
                if invoice.mode != nil {
                    match.begun += 1
                } else {
                    var lines: [UInt8] = []
                    _ = PlanFileWriter.append(invoice, requests, to: &lines)
                    guard lines == plan.lines else {
                        throw Outdated(
                            "the requests for \(invoice.customerID) have changed (\(invoice.invoiceID))"
                        )
                    }
                    match.customers.append(invoice.customerID)
                }
                next = try planned.next()
            }
        }
        if let next {
            throw Outdated("the ledger has no invoice \(next.invoiceID) of \(month) any more")
        }
        return match
    }
}

/// The invoices of a plan, in its order.
private struct PlannedInvoices {
    struct Planned {
        let invoiceID: String
        let inputHash: String
        var lines: [UInt8]
    }

    private struct Line: Decodable {
        let invoiceID: String
        let inputHash: String

        enum CodingKeys: String, CodingKey {
            case invoiceID = "invoice_id"
            case inputHash = "input_hash"
        }
    }

    private var lines: FileLines
    private var read: (line: Line, bytes: [UInt8])?

    init(path: String) throws {
        lines = try FileLines(path: path)
        _ = try lines.next()
        read = try advance()
    }

    mutating func next() throws -> Planned? {
        guard let first = read else { return nil }
        var planned = Planned(
            invoiceID: first.line.invoiceID, inputHash: first.line.inputHash, lines: [])
        while let current = read, current.line.invoiceID == planned.invoiceID {
            planned.lines += current.bytes
            read = try advance()
        }
        return planned
    }

    private mutating func advance() throws -> (line: Line, bytes: [UInt8])? {
        guard let bytes = try lines.next() else { return nil }
        return (try JSONDecoder().decode(Line.self, from: Data(bytes)), bytes)
    }
}

/// The lines of a file, each with its line feed; memory stays flat.
private struct FileLines {
    private let file: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0

    init(path: String) throws {
        file = try FileHandle(forReadingFrom: URL(filePath: path))
    }

    mutating func next() throws -> [UInt8]? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start...end])
            }
            guard let piece = try file.read(upToCount: 1 << 18), !piece.isEmpty else {
                defer { start = buffer.count }
                return start < buffer.count ? Array(buffer[start...]) : nil
            }
            buffer.removeFirst(start)
            start = 0
            buffer += piece
        }
    }
}
