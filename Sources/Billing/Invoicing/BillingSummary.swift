package import Exact
package import Ledger
package import Usage

/// How a slot was billed: every customer in one count, and every amount in one sum.
package struct BillingSummary: Sendable {
    /// A number of invoices, and what they come to by currency.
    package struct Group: Sendable, Equatable {
        package var count = 0
        package var totalMinor: [Currency: Int64] = [:]

        mutating func add(_ invoice: ComputedInvoice) {
            count += 1
            totalMinor[invoice.currency, default: 0] += invoice.totalMinor
        }

        static func + (left: Self, right: Self) -> Self {
            var sum = left
            sum.count += right.count
            sum.totalMinor.merge(right.totalMinor, uniquingKeysWith: +)
            return sum
        }
    }

    /// Somebody with usage who is not billed.
    package struct Unbilled: Sendable, Equatable {
        package let customerID: String
        package let usage: [MetricUsage]
    }

    package let slot: CivilMonth
    /// To be sent.
    package var due = Group()
    /// Too little to charge: carried into the next period.
    package var carried = Group()
    /// Nothing to charge.
    package var zero = Group()
    package var held: [String: Group] = [:]
    package var unmapped: [Unbilled] = []
    package var inactive = 0
    package var inactiveWithUsage: [Unbilled] = []
    package var notClosed = 0
    /// When the last of the periods that are not closed ends.
    package var notClosedUntil: Instant?
    package var nothingBillable = 0
    package var notChosen = 0
    package var figures = UsageFigures()
    /// Rows of the month that wait in quarantine.
    package var quarantined: Int64 = 0
    /// Events that were sealed after the month was billed before.
    package var late: Int64 = 0
    package var changes = SlotComputation.Changes()

    package init(slot: CivilMonth) {
        self.slot = slot
    }

    /// Everybody with terms or events in the slot; the counts above add up to this.
    package private(set) var customers = 0

    package mutating func add(_ outcome: Outcome, of customerID: String) {
        customers += 1
        switch outcome {
        case .billed(let invoice):
            if let reason = invoice.holdReason {
                held[reason, default: Group()].add(invoice)
            } else {
                switch invoice.status {
                case .computed: due.add(invoice)
                case .carried: carried.add(invoice)
                case .skippedZero: zero.add(invoice)
                }
            }
        case .unmapped(let usage): unmapped.append(Unbilled(customerID: customerID, usage: usage))
        case .inactive(let usage):
            inactive += 1
            if let usage {
                inactiveWithUsage.append(Unbilled(customerID: customerID, usage: usage))
            }
        case .notClosed(let end):
            notClosed += 1
            notClosedUntil = max(notClosedUntil ?? end, end)
        case .nothingBillable: nothingBillable += 1
        case .notChosen: notChosen += 1
        }
    }

    /// All that was priced and is not held.
    package var worth: Group { due + carried + zero }

    package var heldCount: Int { held.values.reduce(0) { $0 + $1.count } }

    /// Whether the counts account for every customer.
    package var tiesOut: Bool {
        due.count + carried.count + zero.count + heldCount + unmapped.count + inactive + notClosed
            + nothingBillable + notChosen == customers
    }

    /// Whether somebody must look at something before the month is done.
    package var needsAPerson: Bool {
        heldCount > 0 || !unmapped.isEmpty || !inactiveWithUsage.isEmpty || notClosed > 0
            || quarantined > 0 || !tiesOut || notClosedUntil != nil
            || changes.overlapping > 0 || !changes.slotsToBillAgain.isEmpty
    }
}
