internal import Foundation

/// What a run that billed a month counted, as its history keeps it: every customer once, and events.
struct BilledFigures: Decodable {
    private struct Group: Decodable {
        let count: Int64?
    }

    private let customers: Int64?
    private let due: Group
    private let carried: Group
    private let skippedZero: Group
    private let held: Int64?
    private let unmapped: Int64?
    private let inactive: Int64?
    private let notClosed: Int64?
    /// Earlier runs did not record these two.
    private let nothingBillable: Int64?
    private let notChosen: Int64?
    let events: Int64
    let duplicates: Int64
    let conflicts: Int64
    let quarantined: Int64
    let late: Int64

    /// - Returns: `nil` if another version of the program counted otherwise.
    static func read(_ json: String) -> BilledFigures? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(BilledFigures.self, from: Data(json.utf8))
    }

    /// What became of all customers.
    var outcomes: [(name: String, count: Int64)] {
        Self.counted([
            ("Invoices due", due.count), ("Carried into the next month", carried.count),
            ("A total of zero", skippedZero.count), ("Held", held),
        ]) + withoutInvoice + Self.counted([("All customers", customers)])
    }

    /// Those who have no invoice.
    var withoutInvoice: [(name: String, count: Int64)] {
        Self.counted([
            ("Unmapped: usage without terms", unmapped), ("Inactive", inactive),
            ("Their month is not over", notClosed),
            ("Without terms, and nothing that is metered", nothingBillable),
            ("Left out by --customers", notChosen),
        ])
    }

    private static func counted(
        _ counts: [(name: String, count: Int64?)]
    ) -> [(name: String, count: Int64)] {
        counts.compactMap { name, count in count.map { (name: name, count: $0) } }
    }
}
