package import Exact

/// A customer as `customers.csv` states one.
package struct Customer: Sendable, Equatable {
    package enum CollectionMethod: String, Sendable, CaseIterable {
        case sendInvoice = "send_invoice"
        case chargeAutomatically = "charge_automatically"
    }

    package var customerID: String
    package var stripeCustomerID: String?
    package var plan: String
    package var currency: Currency
    /// An IANA name such as `Asia/Kolkata`.
    package var timezone: String
    package var collectionMethod: CollectionMethod
    /// For `sendInvoice` only.
    package var daysUntilDue: Int?
    package var email: String?
    /// The first day of service; `nil`: always was.
    package var activeFrom: CivilDate?
    /// The day after the last day of service; `nil`: still is.
    package var activeUntil: CivilDate?

    package init(
        customerID: String, stripeCustomerID: String?, plan: String, currency: Currency,
        timezone: String, collectionMethod: CollectionMethod, daysUntilDue: Int?, email: String?,
        activeFrom: CivilDate?, activeUntil: CivilDate?
    ) {
        self.customerID = customerID
        self.stripeCustomerID = stripeCustomerID
        self.plan = plan
        self.currency = currency
        self.timezone = timezone
        self.collectionMethod = collectionMethod
        self.daysUntilDue = daysUntilDue
        self.email = email
        self.activeFrom = activeFrom
        self.activeUntil = activeUntil
    }
}
