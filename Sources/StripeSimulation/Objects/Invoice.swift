struct Invoice: Stored {
    enum Status: String, Sendable, CaseIterable {
        case draft
        case open
        case paid
        case uncollectible
        case void
    }

    enum CollectionMethod: String, Sendable {
        case chargeAutomatically = "charge_automatically"
        case sendInvoice = "send_invoice"
    }

    let id: String
    let created: Int
    let livemode: Bool
    let customer: String
    let currency: String
    var collectionMethod: CollectionMethod
    /// What the customer was when the invoice was finalized; before that, what it is.
    var customerEmail: String?
    var customerName: String?
    var customerAddress: Customer.Address?

    var status = Status.draft
    var autoAdvance = false
    var automaticallyFinalizesAt: Int?
    var daysUntilDue: Int?
    var dueDate: Int?
    var effectiveAt: Int?
    var description: String?
    var footer: String?
    var number: String?
    var metadata = Metadata()
    var lines: [InvoiceLine] = []

    var automaticTax = false
    var taxPercent = 0
    /// Why the last attempt to finalize it failed.
    var finalizationError: StripeError?

    var startingBalance = 0
    /// After it was finalized.
    var endingBalance: Int?
    var amountPaid = 0
    /// Credit notes before and after it was paid.
    var prePaymentCredit = 0
    var postPaymentCredit = 0
    var attemptCount = 0
    var attempted = false
    var nextPaymentAttempt: Int?
    var finalizedAt: Int?
    var paidAt: Int?
    var voidedAt: Int?
    var markedUncollectibleAt: Int?

    var owner: String? { customer }

    // Amounts in minor units.
    var subtotal: Int { lines.reduce(0) { $0 + $1.amount } }
    var tax: Int {
        // Half away from zero, as everywhere.
        let product = subtotal * taxPercent
        return (product + (product < 0 ? -50 : 50)) / 100
    }
    var total: Int { subtotal + tax }
    /// What the balance of the customer leaves to pay; nothing if it is under the minimum.
    var amountDue: Int {
        let balance = endingBalance.map { startingBalance - $0 } ?? startingBalance
        return max(0, total + balance)
    }
    var amountRemaining: Int {
        status == .paid ? 0 : max(0, amountDue - amountPaid - prePaymentCredit)
    }
}

/// One line; every line is an invoice item too.
struct InvoiceLine: Sendable {
    let id: String
    let item: InvoiceItem
}

struct InvoiceItem: Stored {
    let id: String
    let created: Int
    let livemode: Bool
    let customer: String
    /// Nothing while it is pending.
    var invoice: String?
    let amount: Int
    let currency: String
    let quantity: Int
    let description: String?
    let periodStart: Int
    let periodEnd: Int
    let metadata: Metadata
    let product: String?

    var owner: String? { customer }
}

extension InvoiceLine {
    var amount: Int { item.amount }
}

/// What a finalized invoice is paid with.
struct InvoicePayment: Stored {
    enum Status: String, Sendable {
        case open
        case paid
        case canceled
    }

    let id: String
    let created: Int
    let livemode: Bool
    let invoice: String
    let currency: String
    let amountRequested: Int
    let paymentIntent: String
    var amountPaid: Int?
    var status = Status.open
    var paidAt: Int?
    var canceledAt: Int?

    var owner: String? { invoice }
}

struct CreditNote: Stored {
    let id: String
    let created: Int
    let livemode: Bool
    let customer: String
    let invoice: String
    let currency: String
    let number: String
    let amount: Int
    /// True if the invoice had been paid, so that the customer's balance got the amount.
    /// Of `amount`, what had been paid.
    let postPaymentAmount: Int
    let memo: String?
    let reason: String?
    let metadata: Metadata
    var voidedAt: Int?

    var owner: String? { invoice }
}
