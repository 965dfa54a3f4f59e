import Billing
import Exact
import Foundation
import Ledger
import Usage

/// The text of `dev/sample/catalog.yaml`: the worked example of the documentation is priced with it.
let sampleCatalog = """
    # What is metered, and what it costs. Amounts are in major units (here: dollars).
    version: "2015-01"
    effective_from: 2015-01-01
    metrics:
      - {code: api_calls, event_type: api_request, aggregation: count, where: {status: {gte: 200, lt: 300}}, unit: call}
      - {code: bandwidth, event_type: api_request, aggregation: sum, property: bytes, where: {status: {gte: 200, lt: 300}}, unit: byte}
      - {code: storage_peak, event_type: storage, aggregation: max, property: gb_stored, unit: GB}
      - {code: compute_time, event_type: compute, aggregation: sum, property: cpu_ms, unit: ms}
    plans:
      - code: standard
        currency: usd
        charges:
          - metric: api_calls
            model: graduated
            tiers:
              - {up_to: 1000,  unit_amount: "0"}
              - {up_to: 10000, unit_amount: "0.001"}
              - {up_to: inf,   unit_amount: "0.0005"}
          - {metric: bandwidth,    model: per_unit, unit_amount: "0.00001"}
          - {metric: storage_peak, model: per_unit, unit_amount: "0.10"}
          - {metric: compute_time, model: per_unit, unit_amount: "0.00001"}
    """

let sampleLedgerID = "5b0e3c0e-6b1f-4a53-9c58-0d8a4b1f6c21"

func decimal(_ text: String) -> ExactDecimal {
    guard let number = ExactDecimal(text) else { preconditionFailure("\(text) is no number") }
    return number
}

func month(_ text: String) -> CivilMonth {
    guard let month = CivilMonth(text) else { preconditionFailure("\(text) is no month") }
    return month
}

/// A customer on the sample's plan; `change` says what is different about this one.
func customer(_ change: (inout Customer) -> Void = { _ in }) -> Customer {
    guard let dollars = Currency("usd") else { preconditionFailure("dollars exist") }
    var customer = Customer(
        customerID: "acme", stripeCustomerID: "cus_1", plan: "standard", currency: dollars,
        timezone: "UTC", collectionMethod: .sendInvoice, daysUntilDue: 30,
        email: "billing@acme.example", activeFrom: nil, activeUntil: nil)
    change(&customer)
    return customer
}

/// The default policy, but for `change`.
func policy(_ change: (inout InvoiceCalculation.Policy) -> Void) -> InvoiceCalculation.Policy {
    var policy = InvoiceCalculation.Policy()
    change(&policy)
    return policy
}

/// One event for each quantity, in the order of the catalog's metrics.
func usage(_ quantities: String...) -> [MetricUsage] {
    quantities.map { MetricUsage(events: 1, quantity: decimal($0), unparsable: 0) }
}

extension InvoiceCalculation {
    init(
        yaml: String, hash: String = "c0ffee", ledgerID: String = sampleLedgerID,
        slot: String = "2026-10", policy: Policy = Policy()
    ) throws {
        self.init(
            catalog: try Catalog(yaml: yaml), catalogHash: hash, ledgerID: ledgerID,
            slot: month(slot), policy: policy)
    }

    /// The invoice of a whole month in the customer's zone.
    func invoice(
        for customer: Customer, _ usage: [MetricUsage], isQuarantined: Bool = false
    ) throws -> ComputedInvoice {
        let period = try BillingPeriod(
            month: slot, zone: customer.timezone, nextZone: customer.timezone)
        return invoice(
            for: customer, period: period, usage: usage, isQuarantined: isQuarantined,
            cutoffBatch: 7)
    }
}

/// Runs a Python script of this folder.
///
/// - Returns: the lines that it printed.
func python(_ script: String, input: [String]) throws -> [String] {
    struct Failed: Error { let status: Int32 }
    let source = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(input.map { $0 + "\n" }.joined().utf8).write(to: source)
    defer { try? FileManager.default.removeItem(at: source) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    process.arguments = ["python3", folder.appending(path: script).path]
    process.standardInput = try FileHandle(forReadingFrom: source)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}
