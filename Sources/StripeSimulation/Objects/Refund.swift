/// Money that went back.
struct Refund: Stored {
    /// Source: docs.stripe.com/api/refunds/object.
    enum Status: String, Sendable, CaseIterable {
        case succeeded, failed, canceled
    }

    let id: String
    let created: Int
    let livemode: Bool
    let paymentIntent: String
    let charge: String
    let currency: String
    let amount: Int
    var status = Status.succeeded

    var owner: String? { paymentIntent }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "refund")
            json.field("amount", amount)
            json.field("charge", charge)
            json.field("created", created)
            json.field("currency", currency)
            json.object("metadata") { _ in }
            json.field("payment_intent", paymentIntent)
            json.null("reason")
            json.field("status", status.rawValue)
        }
    }
}

/// A payment that the cardholder's bank takes back, or asks about.
struct Dispute: Stored {
    /// Source: docs.stripe.com/api/disputes/object.
    enum Status: String, Sendable, CaseIterable {
        case needsResponse = "needs_response"
        case underReview = "under_review"
        case won, lost
    }

    let id: String
    let created: Int
    let livemode: Bool
    let paymentIntent: String
    let charge: String
    let currency: String
    let amount: Int
    var status: Status

    var owner: String? { paymentIntent }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "dispute")
            json.field("amount", amount)
            json.field("charge", charge)
            json.field("created", created)
            json.field("currency", currency)
            json.object("evidence_details") { json in
                json.field("due_by", created + 7 * 86_400)
                json.field("has_evidence", false)
                json.field("past_due", false)
                json.field("submission_count", 0)
            }
            json.field("livemode", livemode)
            json.object("metadata") { _ in }
            json.field("payment_intent", paymentIntent)
            json.field("reason", "fraudulent")
            json.field("status", status.rawValue)
        }
    }
}

/// What an event shows of a payment that was refunded.
struct RefundedCharge: Sendable {
    let id: String
    let created: Int
    let livemode: Bool
    let paymentIntent: String
    let currency: String
    let amount: Int
    let amountRefunded: Int

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "charge")
            json.field("amount", amount)
            json.field("amount_captured", amount)
            json.field("amount_refunded", amountRefunded)
            json.field("created", created)
            json.field("currency", currency)
            json.field("livemode", livemode)
            json.object("metadata") { _ in }
            json.field("paid", true)
            json.field("payment_intent", paymentIntent)
            json.field("refunded", amountRefunded == amount)
            json.field("status", "succeeded")
        }
    }
}
