import Foundation
import Testing

/// What `run bill --format json` prints.
struct BillReport: Decodable, Equatable {
    struct Group: Decodable, Equatable {
        var count: Int
        var totalMinor: [String: Int64]
    }

    struct Unbilled: Decodable, Equatable {
        var customerID: String
        var usage: [String: String]
    }

    var slot: String
    var customers: Int
    var tiesOut: Bool
    var events: Int
    var duplicates: Int
    var conflicts: Int
    var quarantined: Int
    var late: Int
    var due: Group
    var carried: Group
    var skippedZero: Group
    var held: [String: Group]
    var unmapped: [Unbilled]
    var inactive: Int
    var inactiveWithUsage: [Unbilled]
    var notClosed: Int
    var nothingBillable: Int
    var notChosen: Int
    var added: Int
    var changed: Int
    var unchanged: Int
    var superseded: Int
    var submitted: Int
    var overlapping: Int
    var billAgain: [String]

    /// The outcomes, which must account for everybody.
    var outcomes: Int {
        due.count + carried.count + skippedZero.count + held.values.reduce(0) { $0 + $1.count }
            + unmapped.count + inactive + notClosed + nothingBillable + notChosen
    }
}

/// A line of `invoices list --format json`.
struct ListedInvoice: Decodable, Equatable {
    struct Line: Decodable, Equatable {
        var lineID: String
        var metric: String?
        var quantity: String?
        var amountMinor: Int64
        var description: String
    }

    var invoiceID: String
    var customerID: String
    var slot: String
    var timezone: String
    var periodStart: String
    var periodEnd: String
    var status: String
    var holdReason: String?
    var currency: String
    var totalMinor: Int64
    var catalogVersion: String
    var lines: [Line]

    /// Without what follows from the ledger's random identity: equal in two ledgers with equal inputs.
    var anonymous: ListedInvoice {
        var copy = self
        copy.invoiceID = ""
        for index in copy.lines.indices { copy.lines[index].lineID = "" }
        return copy
    }

    func quantity(of metric: String) -> String? {
        lines.first { $0.metric == metric }?.quantity
    }
}

/// A line of `usage show --format json`.
struct ListedUsage: Decodable, Equatable {
    var customerID: String
    var metric: String
    var quantity: String
    var unit: String
    var events: Int
    var unparsable: Int
}

/// `customer_id` as `customerID`, `total_minor` as `totalMinor`.
private struct MemberName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) {
        let words = name.split(separator: "_")
        stringValue = words.dropFirst().reduce(words.first.map(String.init) ?? "") {
            $0 + ($1 == "id" ? "ID" : $1.capitalized)
        }
    }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension String {
    /// JSON, one object a line.
    func objects<T: Decodable>(_ type: T.Type = T.self) throws -> [T] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { MemberName($0.last?.stringValue ?? "") }
        return try split(separator: "\n").map { try decoder.decode(T.self, from: Data($0.utf8)) }
    }

    var lineCount: Int { split(separator: "\n").count }
}

extension Stack {
    /// Bills a month.
    ///
    /// - Parameter status: how the run must end.
    func bill(
        _ slot: String, _ options: String..., status: Int32 = 0,
        with changes: [String: String?] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> BillReport {
        let result = try await jobs(
            ["run", "bill", "--slot", slot, "--format", "json"] + options, with: changes)
        try #require(
            result.status == status, "\(result.output)\(result.errors)",
            sourceLocation: sourceLocation)
        let report = try #require(
            try result.output.objects(BillReport.self).first, sourceLocation: sourceLocation)
        #expect(report.tiesOut, sourceLocation: sourceLocation)
        #expect(report.outcomes == report.customers, sourceLocation: sourceLocation)
        return report
    }

    func invoices(_ options: String...) async throws -> [ListedInvoice] {
        let result = try await jobs(["invoices", "list", "--format", "json"] + options)
        try #require(result.status == 0, "\(result.errors)")
        return try result.output.objects()
    }

    /// The one invoice of a customer in a month.
    func invoice(of customer: String, _ slot: String) async throws -> ListedInvoice {
        let found = try await invoices("--slot", slot, "--customer", customer)
        try #require(found.count == 1)
        return found[0]
    }

    func usage(_ slot: String) async throws -> [ListedUsage] {
        let sealed = try await jobs("run", "seal-usage")
        #expect([0, 1].contains(sealed.status), "\(sealed.errors)")
        return try await done("usage", "show", "--slot", slot, "--format", "json").objects()
    }
}
