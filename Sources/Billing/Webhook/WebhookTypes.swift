/// The types of events from which something follows. The endpoint is registered for these, and the list of
/// events is asked for these: not more than 20, which is all that Stripe lets one ask for at once.
package enum WebhookTypes {
    /// About an invoice.
    static let invoice: Set<String> = [
        "invoice.finalized", "invoice.sent", "invoice.paid", "invoice.payment_failed",
        "invoice.payment_action_required", "invoice.overdue", "invoice.voided",
        "invoice.marked_uncollectible", "invoice.finalization_failed", "invoice.deleted",
        "invoice.updated",
    ]
    /// About something that names its invoice.
    static let creditNote: Set<String> = ["credit_note.created", "credit_note.voided"]
    /// About something that names a payment, which names its invoices.
    static let payment: Set<String> = [
        "charge.refunded", "charge.refund.updated", "refund.updated", "refund.failed",
        "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
    ]

    package static let all = invoice.union(creditNote).union(payment).sorted()
}
