import Foundation
import Testing

/// What `run bill --format json` prints.
struct BillReport: Decodable, Equatable {
    struct Group: Decodable, Equatable {
        var count: Int
        var total_minor: [String: Int64]
    }

    struct Unbilled: Decodable, Equatable {
        var customer_id: String
        var usage: [String: String]
    }

    var slot: String
    var customers: Int
    var ties_out: Bool
    var events: Int
    var duplicates: Int
    var conflicts: Int
    var quarantined: Int
    var due: Group
    var carried: Group
    var skipped_zero: Group
    var held: [String: Group]
    var unmapped: [Unbilled]
    var inactive: Int
    var inactive_with_usage: [Unbilled]
    var not_closed: Int
    var nothing_billable: Int
    var not_chosen: Int
    var added: Int
    var changed: Int
    var unchanged: Int
    var superseded: Int
    var submitted: Int

    /// The outcomes, which must account for everybody.
    var outcomes: Int {
        due.count + carried.count + skipped_zero.count + held.values.reduce(0) { $0 + $1.count }
            + unmapped.count + inactive + not_closed + nothing_billable + not_chosen
    }
}

/// A line of `invoices list --format json`.
struct ListedInvoice: Decodable, Equatable {
    struct Line: Decodable, Equatable {
        var line_id: String
        var metric: String?
        var quantity: String?
        var amount_minor: Int64
        var description: String
    }

    var invoice_id: String
    var customer_id: String
    var slot: String
    var timezone: String
    var period_start: String
    var period_end: String
    var status: String
    var hold_reason: String?
    var currency: String
    var total_minor: Int64
    var catalog_version: String
    var lines: [Line]

    /// Without what follows from the ledger's random identity: equal in two ledgers with equal inputs.
    var anonymous: ListedInvoice {
        var copy = self
        copy.invoice_id = ""
        for index in copy.lines.indices { copy.lines[index].line_id = "" }
        return copy
    }

    func quantity(of metric: String) -> String? {
        lines.first { $0.metric == metric }?.quantity
    }
}

/// A line of `usage show --format json`.
struct ListedUsage: Decodable, Equatable {
    var customer_id: String
    var metric: String
    var quantity: String
    var unit: String
    var events: Int
    var unparsable: Int
}

extension String {
    /// JSON, one object a line.
    func objects<T: Decodable>(_ type: T.Type = T.self) throws -> [T] {
        try split(separator: "\n").map { try JSONDecoder().decode(T.self, from: Data($0.utf8)) }
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
        #expect(report.ties_out, sourceLocation: sourceLocation)
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
        try await done("usage", "show", "--slot", slot, "--format", "json").objects()
    }
}
