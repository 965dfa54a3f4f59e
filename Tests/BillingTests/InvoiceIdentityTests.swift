import Billing
import Exact
import Ledger
import Testing
import Usage

/// What names an invoice, and what its input hash covers.
struct InvoiceIdentityTests {
    private static let used = [
        MetricUsage(events: 3, quantity: decimal("1.5"), unparsable: 0),
        MetricUsage(events: 2, quantity: decimal("7"), unparsable: 0), .none, .none,
    ]

    private static func invoice(
        _ usage: [MetricUsage] = used, hash: String = "c0ffee", ledgerID: String = sampleLedgerID,
        slot: String = "2026-10", zone: String? = nil,
        policy: InvoiceCalculation.Policy = .init(),
        _ change: (inout Customer) -> Void = { _ in }
    ) throws -> ComputedInvoice {
        let terms = customer(change)
        let calculation = try InvoiceCalculation(
            yaml: sampleCatalog, hash: hash, ledgerID: ledgerID, slot: slot, policy: policy)
        let period = try BillingPeriod(
            month: month(slot), zone: terms.timezone, nextZone: zone ?? terms.timezone)
        return calculation.invoice(for: terms, period: period, usage: usage, cutoffBatch: 7)
    }

    @Test func `the same values make the same invoice, to the last character`() throws {
        #expect(try Self.invoice() == Self.invoice())
    }

    @Test func `ids are those of the contract`() throws {
        let invoice = try Self.invoice()
        #expect(
            invoice.invoiceID
                == InvoiceID.invoice(
                    ledgerID: sampleLedgerID, customerID: "acme", start: invoice.start,
                    end: invoice.end, kind: "regular", revision: 0))
        #expect(
            invoice.lines.map(\.lineID)
                == ["metric:api_calls", "metric:bandwidth"].map {
                    InvoiceID.line(invoiceID: invoice.invoiceID, charge: $0)
                })
    }

    @Test func `ids differ with ledger, customer and period`() throws {
        let ids = try [
            Self.invoice(), Self.invoice(ledgerID: "another"), Self.invoice { $0.customerID = "b" },
            Self.invoice(slot: "2026-11"), Self.invoice { $0.timezone = "Asia/Kolkata" },
            Self.invoice(zone: "Asia/Kolkata"),
        ].flatMap { [$0.invoiceID] + $0.lines.map(\.lineID) }
        #expect(Set(ids).count == ids.count)
    }

    @Test func `ids do not depend on what was used and what it costs`() throws {
        let first = try Self.invoice()
        let again = try Self.invoice(usage("9", "9", "0", "0"), hash: "other") {
            $0.stripeCustomerID = nil
            $0.email = nil
        }
        #expect(first.invoiceID == again.invoiceID)
        #expect(first.lines.map(\.lineID) == again.lines.map(\.lineID))
    }

    // MARK: The input hash

    @Test func `the input hash changes with everything that amounts follow from`() throws {
        var hashes = try [
            Self.invoice(), Self.invoice(hash: "other"), Self.invoice { $0.plan = "gold" },
            Self.invoice { $0.currency = Currency("eur") ?? $0.currency },
            Self.invoice(slot: "2026-11"), Self.invoice { $0.timezone = "Asia/Kolkata" },
            // The same borders, in a zone of another name.
            Self.invoice { $0.timezone = "Africa/Abidjan" }, Self.invoice(zone: "Asia/Kolkata"),
        ].map(\.inputHash)
        for index in Self.used.indices {
            let changes: [(inout MetricUsage) -> Void] = [
                { $0.events += 1 }, { $0.quantity += decimal("0.000000001") },
                { $0.unparsable += 1 },
            ]
            for change in changes {
                var usage = Self.used
                change(&usage[index])
                hashes.append(try Self.invoice(usage).inputHash)
            }
        }
        #expect(hashes.count == 8 + 4 * 3)
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `the input hash tells one metric's usage from another's`() throws {
        var swapped = Self.used
        swapped.swapAt(0, 1)
        #expect(try Self.invoice(swapped).inputHash != Self.invoice().inputHash)
    }

    @Test func `the input hash does not change with anything else`() throws {
        let hash = try Self.invoice().inputHash
        let others = try [
            Self.invoice { $0.email = nil }, Self.invoice { $0.stripeCustomerID = "cus_2" },
            Self.invoice { $0.collectionMethod = .chargeAutomatically },
            Self.invoice { $0.daysUntilDue = 7 },
            Self.invoice { $0.activeFrom = CivilDate("2026-01-01") },
            Self.invoice(policy: policy { $0.skipsZeroTotals = false }),
            Self.invoice(policy: policy { $0.carriesSmallTotals = false }),
        ]
        for other in others { #expect(other.inputHash == hash) }
        #expect(hash.count == 64)
    }

    @Test func `the way in which a number was written does not matter`() throws {
        var usage = Self.used
        usage[0].quantity = decimal("1.500")
        #expect(try Self.invoice(usage).inputHash == Self.invoice().inputHash)
    }
}
