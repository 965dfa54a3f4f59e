internal import Ledger

/// An invoice as Stripe has it, with what is read of it when an event is worked on.
struct StripeStanding: Sendable, Equatable, Decodable {
    let invoice: StripeInvoice
    let amountDue: Int64
    let amountRemaining: Int64
    let attemptCount: Int
    /// Unix time, like the next one.
    let nextPaymentAttempt: Int64?
    let dueDate: Int64?
    let hostedInvoiceURL: String?
    let credited: Int64
    let finalizationError: String?

    private enum CodingKeys: String, CodingKey {
        case amountDue = "amount_due"
        case amountRemaining = "amount_remaining"
        case attemptCount = "attempt_count"
        case nextPaymentAttempt = "next_payment_attempt"
        case dueDate = "due_date"
        case hostedInvoiceURL = "hosted_invoice_url"
        case prePaymentCredit = "pre_payment_credit_notes_amount"
        case postPaymentCredit = "post_payment_credit_notes_amount"
        case finalizationError = "last_finalization_error"
    }

    private struct Problem: Decodable {
        let message: String?
        let code: String?
    }

    init(from decoder: any Decoder) throws {
        invoice = try StripeInvoice(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        amountDue = try container.decode(Int64.self, forKey: .amountDue)
        amountRemaining = try container.decode(Int64.self, forKey: .amountRemaining)
        attemptCount = try container.decode(Int.self, forKey: .attemptCount)
        nextPaymentAttempt = try container.decodeIfPresent(Int64.self, forKey: .nextPaymentAttempt)
        dueDate = try container.decodeIfPresent(Int64.self, forKey: .dueDate)
        hostedInvoiceURL = try container.decodeIfPresent(String.self, forKey: .hostedInvoiceURL)
        credited =
            try container.decode(Int64.self, forKey: .prePaymentCredit)
            + container.decode(Int64.self, forKey: .postPaymentCredit)
        let problem = try container.decodeIfPresent(Problem.self, forKey: .finalizationError)
        finalizationError = problem.map { $0.message ?? $0.code ?? "no reason given" }
    }
}

struct StripeRefund: Sendable, Equatable, Decodable {
    let id: String
    let amount: Int64
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`; nothing: it is not known yet.
    let status: String?
}

/// Source: docs.stripe.com/api/disputes/object.
struct StripeDispute: Sendable, Equatable, Decodable {
    struct Evidence: Sendable, Equatable, Decodable {
        /// Unix time; zero: the bank takes no answer.
        let dueBy: Int64?

        enum CodingKeys: String, CodingKey {
            case dueBy = "due_by"
        }
    }

    let id: String
    let amount: Int64
    let currency: String
    let status: String
    let evidence: Evidence?

    enum CodingKeys: String, CodingKey {
        case id, amount, currency, status
        case evidence = "evidence_details"
    }

    /// An inquiry that is closed took nothing.
    var standing: InvoiceStanding.Dispute {
        switch status {
        case "won", "warning_closed", "prevented": .won
        case "lost": .lost
        default: .open
        }
    }
}

struct StripeInvoicePayment: Sendable, Equatable, Decodable {
    struct Payment: Sendable, Equatable, Decodable {
        let paymentIntent: String?

        enum CodingKeys: String, CodingKey {
            case paymentIntent = "payment_intent"
        }
    }

    let id: String
    let invoice: String
    let payment: Payment
}
