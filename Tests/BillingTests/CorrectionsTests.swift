import Exact
import Testing

@testable import Billing
@testable import Ledger

/// What is proposed of what a month would charge otherwise.
struct CorrectionsTests {
    private func line(
        _ metric: String?, _ billed: String, _ used: String, _ billedMinor: Int64,
        _ usedMinor: Int64,
        of customer: String = "ann", isCorrectable: Bool = true, stripeID: String? = "in_1",
        charge: String? = nil
    ) throws -> SlotComputation.LineDifference {
        let invoiceID = "inv_\(customer)"
        let lineID = InvoiceID.line(invoiceID: invoiceID, charge: charge ?? metric ?? "minimum")
        return SlotComputation.LineDifference(
            invoiceID: invoiceID, customerID: customer, stripeInvoiceID: stripeID,
            isSent: true, isCorrectable: isCorrectable, currency: try #require(Currency("usd")),
            lineID: lineID, metric: metric, description: metric ?? "Minimum of 5 USD",
            billedQuantity: billed, usedQuantity: used, billedMinor: billedMinor,
            usedMinor: usedMinor, quantitySign: 0)
    }

    private func corrections(_ lines: [SlotComputation.LineDifference]) -> [Correction] {
        var differences = UsageDifferences()
        differences.lines = lines
        return Corrections.of(differences, cutoffBatch: 7)
    }

    @Test func `an invoice has one correction, over all of its lines`() throws {
        let found = corrections([
            try line("calls", "10", "100", 0, 900), try line(nil, "0", "0", 500, 0),
            try line("storage", "2.5", "2", 250, 200, of: "bob"),
        ])
        #expect(found.map(\.customerID) == ["ann", "bob"])
        #expect(found.map(\.kind) == [.supplementary, .creditNote])
        #expect(found.map(\.amountMinor) == [400, 50])
        #expect(found[0].lines.map(\.amountMinor) == [900, -500])
        #expect(found[0].lines.map(\.quantity) == ["90", nil])
        #expect(
            found.flatMap(\.lines).map(\.description) == [
                "calls: 90 more than invoiced", "Minimum of 5 USD, corrected",
                "storage: 0.5 less than invoiced",
            ])
    }

    @Test func `what costs nothing, is settled, or cannot be corrected is none`() throws {
        #expect(
            corrections([
                // Within the free tier.
                try line("calls", "1", "5", 0, 0),
                // Under the minimum.
                try line("calls", "1", "5", 100, 300, of: "min"),
                try line(nil, "0", "0", 400, 200, of: "min"),
                // A balance that was another one then.
                try line(nil, "0", "0", 30, 0, of: "carried", charge: "carried"),
                // Void, held, or not sent to the end.
                try line("calls", "1", "5", 100, 500, of: "void", isCorrectable: false),
                // Owed, but never an invoice at Stripe.
                try line("calls", "5", "1", 30, 10, of: "owed", stripeID: nil),
            ]) == [])
    }

    @Test func `the inputs' hash names the cut-off, lines and amounts`() throws {
        let lines = [try line("calls", "1", "5", 100, 500)]
        let hashes = Set([
            corrections(lines)[0].inputHash,
            corrections([try line("calls", "1", "5", 100, 501)])[0].inputHash,
            corrections([try line("calls", "1", "6", 100, 500)])[0].inputHash,
        ])
        #expect(
            hashes.count == 3 && corrections(lines)[0].inputHash == corrections(lines)[0].inputHash)
    }
}
