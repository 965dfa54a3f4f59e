package import Exact

/// An invoice as it was computed, before anything is sent.
package struct ComputedInvoice: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        /// There is something to charge.
        case computed
        /// Nothing was used that costs anything: no invoice is sent.
        case skippedZero = "skipped_zero"
        /// Less than Stripe charges: it is carried into the next period.
        case carried
    }

    package struct Line: Sendable, Equatable {
        package let lineID: String
        /// `nil` for a base fee and for what fills up to a minimum.
        package let metric: String?
        package let quantity: ExactDecimal?
        package let amountMinor: Int64
        package let description: String
        /// JSON: `[{"up_to", "quantity", "unit_amount", "flat_amount"}]`, decimals as strings.
        package let tiers: String
        /// How many events the quantity was made of; `nil` without a metric.
        package let events: Int64?

        package init(
            lineID: String, metric: String?, quantity: ExactDecimal?, amountMinor: Int64,
            description: String, tiers: String, events: Int64? = nil
        ) {
            self.lineID = lineID
            self.metric = metric
            self.quantity = quantity
            self.amountMinor = amountMinor
            self.description = description
            self.tiers = tiers
            self.events = events
        }
    }

    package let invoiceID: String
    package let customerID: String
    package let slot: CivilMonth
    package let timezone: String
    package let start: Instant
    package let end: Instant
    package let status: Status
    /// Why a person must look at it before it may be sent; `nil`: nothing stands against it.
    package let holdReason: String?
    package let currency: Currency
    package let plan: String
    package let stripeCustomerID: String?
    package let collectionMethod: Customer.CollectionMethod
    package let daysUntilDue: Int?
    package let catalogVersion: String
    /// The last batch of sealed usage that was counted.
    package let cutoffBatch: Int64
    package let inputHash: String
    package let tzdataVersion: String
    /// What earlier periods left over, and this invoice charges: one of its lines.
    package let carriedMinor: Int64
    package let lines: [Line]

    package init(
        invoiceID: String, customerID: String, slot: CivilMonth, timezone: String, start: Instant,
        end: Instant, status: Status, holdReason: String?, currency: Currency, plan: String,
        stripeCustomerID: String?, collectionMethod: Customer.CollectionMethod, daysUntilDue: Int?,
        catalogVersion: String, cutoffBatch: Int64, inputHash: String, tzdataVersion: String,
        carriedMinor: Int64, lines: [Line]
    ) {
        self.invoiceID = invoiceID
        self.customerID = customerID
        self.slot = slot
        self.timezone = timezone
        self.start = start
        self.end = end
        self.status = status
        self.holdReason = holdReason
        self.currency = currency
        self.plan = plan
        self.stripeCustomerID = stripeCustomerID
        self.collectionMethod = collectionMethod
        self.daysUntilDue = daysUntilDue
        self.catalogVersion = catalogVersion
        self.cutoffBatch = cutoffBatch
        self.inputHash = inputHash
        self.tzdataVersion = tzdataVersion
        self.carriedMinor = carriedMinor
        self.lines = lines
    }

    package var totalMinor: Int64 { lines.reduce(0) { $0 + $1.amountMinor } }
}
