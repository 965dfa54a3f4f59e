import Exact
import Foundation
import Testing

/// The files that the demo uses, and prices for tests.
enum Sample {
    /// Made by `dev/sample/make_log`, which `dev/test` runs first.
    static let accessLog = path("access.log")

    /// Makes customers at Stripe, and the CSV that names them.
    static let makeCustomers = path("make_customers")

    static let catalog = try! String(contentsOfFile: path("catalog.yaml"), encoding: .utf8)

    /// Two plans in dollars and one in euros; storage costs 1 a GB, so that totals are easily told apart.
    static func catalog(version: String, effectiveFrom: String, plans: String = plans) -> String {
        """
        version: "\(version)"
        effective_from: \(effectiveFrom)
        metrics:
          - {code: calls, event_type: api_request, aggregation: count, unit: call}
          - {code: bandwidth, event_type: api_request, aggregation: sum, property: bytes, unit: byte}
          - {code: storage, event_type: storage, aggregation: max, property: gb, unit: GB}
        plans:
        \(plans)
        """
    }

    static let simpleCatalog = catalog(version: "simple", effectiveFrom: "2015-01-01")

    static let plans = """
          - {code: basic, currency: usd, charges: [{metric: storage, model: per_unit, unit_amount: "1"}, {metric: bandwidth, model: per_unit, unit_amount: "0.00001"}]}
          - {code: premium, currency: usd, charges: [{metric: storage, model: per_unit, unit_amount: "2"}]}
          - {code: euro, currency: eur, charges: [{metric: storage, model: per_unit, unit_amount: "1"}]}
        """

    private static func path(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../dev/sample/\(name)").standardizedFileURL.path
    }
}

/// A line of an event file.
func eventLine(
    _ id: String, of customer: String, type: String = "storage", at time: String,
    _ properties: String
) -> String {
    """
    {"transaction_id":"\(id)","customer_id":"\(customer)","event_type":"\(type)",\
    "timestamp":\(milliseconds(time)),"properties":\(properties)}

    """
}

/// An event that says how many GB are stored.
func stored(
    _ gigabytes: String, of customer: String, id: String = "t", on day: String = "2015-05-10"
) -> String {
    eventLine(id, of: customer, at: "\(day)T00:00:00Z", #"{"gb":\#(gigabytes)}"#)
}

/// Of `2015-05-17T10:05:03Z`, since 1970.
func milliseconds(_ time: String) -> Int64 {
    guard let instant = Instant(time) else { preconditionFailure("\(time) is no instant") }
    return instant.milliseconds
}

extension Stack {
    /// Imports events of any age; all of them must be taken.
    func importEvents(_ lines: [String]) async throws {
        let file = try file("events-\(UUID().uuidString).jsonl", lines.joined())
        try await done("import", "events", "--allow-backfill", file)
        try FileManager.default.removeItem(atPath: file)
    }

    /// Imports customers: a header, and their rows.
    @discardableResult
    func importCustomers(_ csv: String, _ options: String...) async throws -> String {
        let file = try file("customers-\(UUID().uuidString).csv", csv)
        let result = try await jobs(["import", "customers", file] + options)
        try FileManager.default.removeItem(atPath: file)
        guard result.status == 0 else { throw Refused(text: result.output + result.errors) }
        return result.output
    }
}

struct Refused: Error {
    let text: String
}
