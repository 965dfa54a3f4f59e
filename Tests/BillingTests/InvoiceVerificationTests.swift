import Billing
import Exact
import Ledger
import Testing
import Usage

struct InvoiceVerificationTests {
    private static func differences(
        stored: [MetricUsage], now: [MetricUsage], catalog: String = sampleCatalog,
        hash: String = "c0ffee"
    ) throws -> [String] {
        let before = try InvoiceCalculation(yaml: sampleCatalog)
        let invoice = try Invoice(stored: before.invoice(for: customer(), stored))
        let calculation = try InvoiceCalculation(yaml: catalog, hash: hash)
        return InvoiceVerification(invoice: invoice, calculation: calculation, usage: now)
            .differences
    }

    @Test func `an invoice that follows from its usage has no differences`() throws {
        let used = usage("15000", "2100000000", "50", "0.5")
        #expect(try Self.differences(stored: used, now: used).isEmpty)
    }

    @Test func `another quantity is said in words, with both amounts`() throws {
        let differences = try Self.differences(
            stored: usage("0", "0", "50", "0"), now: usage("0", "0", "51", "0"))
        #expect(
            differences == [
                "storage_peak: 50 GB at 5.00 is now storage_peak: 51 GB at 5.10",
                "total 5.00 is now 5.10",
            ])
    }

    @Test func `a quantity that costs the same is a difference all the same`() throws {
        let differences = try Self.differences(
            stored: usage("1", "0", "50", "0"), now: usage("2", "0", "50", "0"))
        #expect(differences == ["api_calls: 1 call at 0.00 is now api_calls: 2 call at 0.00"])
    }

    @Test func `lines that are missing or gone are named`() throws {
        let differences = try Self.differences(
            stored: usage("0", "0", "50", "0"), now: usage("0", "1000000", "0", "0"))
        #expect(
            differences == [
                "storage_peak: 50 GB: not there any more",
                "bandwidth: 1000000 byte: missing, 10.00",
                "total 5.00 is now 10.00",
            ])
    }

    @Test func `other inputs with equal amounts are told`() throws {
        let used = usage("0", "0", "50", "0")
        let differences = try Self.differences(stored: used, now: used, hash: "decaf")
        #expect(differences.count == 1)
        #expect(differences.first?.contains("input_hash") == true)
    }

    @Test func `another price is a difference`() throws {
        let used = usage("0", "0", "50", "0")
        let dearer = sampleCatalog.replacing("\"0.10\"", with: "\"0.20\"")
        #expect(
            try Self.differences(stored: used, now: used, catalog: dearer) == [
                "storage_peak: 50 GB at 5.00 is now storage_peak: 50 GB at 10.00",
                "total 5.00 is now 10.00",
            ])
    }

    @Test func `with a supplementary invoice, every line was charged what its month comes to`()
        throws
    {
        let calculation = try InvoiceCalculation(yaml: sampleCatalog)
        let before = try calculation.invoice(for: customer(), usage("0", "0", "50", "0"))
        let verification = InvoiceVerification(
            invoice: try Invoice(stored: before), calculation: calculation,
            usage: usage("0", "1000000", "50", "0"))
        let storage = try #require(before.lines.first?.lineID)
        let bandwidth = try #require(verification.recomputed.lines.first?.lineID)
        #expect(verification.differences(charged: [storage: 500, bandwidth: 1_000]) == [])
        #expect(
            verification.differences(charged: [storage: 500]) == [
                "bandwidth: 1000000 byte: 0.00 was charged with it, it comes to 10.00"
            ])
        #expect(
            verification.differences(charged: [storage: 500, bandwidth: 1_000, "line_x": 7]) == [
                "line_x: 0.07 was charged with it, it comes to 0.00"
            ])
    }
}
