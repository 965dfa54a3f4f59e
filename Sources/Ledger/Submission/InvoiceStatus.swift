/// Where an invoice stands. Holds and dead letters are flags beside it.
package enum InvoiceStatus: String, Sendable, CaseIterable {
    case computed
    case skippedZero = "skipped_zero"
    case carried
    case superseded
    /// Its submission has begun: what it charges is fixed.
    case submitting
    case open
    case paymentFailed = "payment_failed"
    case paid
    case void
    case uncollectible

    /// The legal moves. The schema's table `invoice_moves` holds the same, and refuses the others.
    package var next: [InvoiceStatus] {
        switch self {
        case .computed: [.skippedZero, .carried, .superseded, .submitting]
        case .skippedZero: [.computed, .carried, .superseded]
        case .carried: [.computed, .skippedZero, .superseded]
        case .superseded: [.computed, .skippedZero, .carried]
        case .submitting: [.open, .paymentFailed, .paid, .void, .uncollectible]
        case .open: [.paymentFailed, .paid, .void, .uncollectible]
        case .paymentFailed: [.open, .paid, .void, .uncollectible]
        case .uncollectible: [.paid, .void]
        case .paid, .void: []
        }
    }
}
