internal import Digest
internal import Exact
internal import Foundation
package import Ledger

extension Alert {
    /// The kind of ``drift(_:slot:)``.
    package static let driftKind = "drift"

    /// What drifted of a month and needs a person. Other drifts are another alert, in place of this one.
    package static func drift(_ drifts: [Drift], slot: String) throws -> Alert {
        var causes: [String: Int] = [:]
        var differences: [String: Int64] = [:]
        for drift in drifts {
            causes[drift.cause.rawValue, default: 0] += 1
            differences[drift.currency?.code ?? "?", default: 0] += drift.differenceMinor
        }
        let found = drifts.map {
            "\($0.stripeInvoiceID ?? $0.invoiceID ?? "") \($0.cause.rawValue) \($0.differenceMinor)"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let digest = SHA256.hash(Array(found.sorted().joined(separator: "\n").utf8)).prefix(8)
        let body = try encoder.encode(
            Body(
                job: "reconcile", slot: slot, drifts: drifts.count, causes: causes,
                differenceMinor: differences,
                next: "jobs run reconcile --month \(slot) --dry-run lists them"))
        return Alert(
            key: "drift_\(slot)_" + digest.map { String(format: "%02x", $0) }.joined(),
            kind: driftKind,
            severity: drifts.contains { $0.cause.isGrave } ? .critical : .warning, subject: slot,
            body: String(decoding: body, as: UTF8.self))
    }
}

extension Drift.Cause {
    /// Somebody may have been charged wrongly.
    fileprivate var isGrave: Bool {
        switch self {
        case .late, .rounding, .status, .strayDraft: false
        case .duplicate, .price, .edited, .missing, .extra: true
        }
    }
}

private struct Body: Encodable {
    let job: String
    let slot: String
    let drifts: Int
    let causes: [String: Int]
    /// By currency.
    let differenceMinor: [String: Int64]
    let next: String
}
