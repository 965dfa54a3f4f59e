package import Exact

/// What the ledger refuses, with what to do about it.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Another process works on the same slot.
        case held
        /// Another process took over while this one was paused or cut off.
        case leaseLost
        /// What was asked for is not there.
        case notFound
        /// The input contradicts what the ledger holds, which stays as it is.
        case conflict
    }

    package let code: Code
    package let description: String
    /// Which lease was lost.
    package let lease: String?

    init(code: Code, description: String, lease: String? = nil) {
        (self.code, self.description, self.lease) = (code, description, lease)
    }

    static func held(_ what: String, by holder: String) -> Self {
        Self(
            code: .held, description: "\(what) is held by another run (\(holder)); nothing was done"
        )
    }

    static func noBatch(_ batch: Int64) -> Self {
        Self(code: .notFound, description: "there is no sealed batch of usage \(batch)")
    }

    static func leaseLost(_ name: String) -> Self {
        Self(
            code: .leaseLost,
            description:
                "\(name): another run took over; what this one had not finished is not counted",
            lease: name)
    }

    static func unreadableSlot(_ slot: String, ofJob job: String) -> Self {
        Self(
            code: .conflict,
            description: "job_slots has a slot '\(slot)' of \(job), which is none; remove that row")
    }

    package static func noRun(_ slot: Slot, ofJob job: String) -> Self {
        Self(
            code: .notFound,
            description: "\(job) has no slot \(slot) on record; jobs runs list shows what there is")
    }

    package static func noInvoice(_ id: String) -> Self {
        Self(
            code: .notFound,
            description: "there is no invoice \(id); jobs invoices list shows those of a slot")
    }

    static func catalogIsFixed(_ version: String) -> Self {
        Self(
            code: .conflict,
            description: """
                catalog \(version) was applied with another content and cannot change; \
                apply the change as a new version with a later effective_from
                """)
    }

    static func catalogDateTaken(_ date: String, by version: String) -> Self {
        Self(
            code: .conflict,
            description:
                "catalog \(version) takes effect on \(date) already; choose another effective_from")
    }

    static var stripeCustomerTaken: Self {
        Self(
            code: .conflict,
            description: """
                a stripe_customer_id of the file belongs to another customer of the ledger; \
                nothing was taken
                """)
    }

    static func billedPast(_ what: String, _ date: String, billedUntil: String) -> Self {
        Self(
            code: .conflict,
            description: """
                \(what) would take effect on \(date), but invoices were sent for periods until \
                \(billedUntil); choose that day or a later one
                """)
    }
}
