/// What an answer or an event shows: an object as it was, written out when somebody asks.
enum Snapshot: Sendable {
    case invoice(Invoice)
    case deletedInvoice(id: String)
    case item(InvoiceItem)
    case deletedItem(id: String)
    case customer(Customer)
    case payment(InvoicePayment)
    case creditNote(CreditNote)
    case refund(Refund)
    case dispute(Dispute)
    case event(Event)
    case endpoint(WebhookEndpoint, showsSecret: Bool)

    func write(to json: inout JSONWriter) {
        switch self {
        case .invoice(let invoice): invoice.write(to: &json)
        case .deletedInvoice(let id): Self.write(deleted: id, "invoice", to: &json)
        case .item(let item): item.write(to: &json)
        case .deletedItem(let id): Self.write(deleted: id, "invoiceitem", to: &json)
        case .customer(let customer): customer.write(to: &json)
        case .payment(let payment): payment.write(to: &json)
        case .creditNote(let note): note.write(to: &json)
        case .refund(let refund): refund.write(to: &json)
        case .dispute(let dispute): dispute.write(to: &json)
        case .event(let event): event.write(to: &json)
        case .endpoint(let endpoint, let showsSecret):
            endpoint.write(to: &json, showsSecret: showsSecret)
        }
    }

    private static func write(deleted id: String, _ kind: String, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", kind)
            json.field("deleted", true)
        }
    }
}

struct Event: Stored {
    let id: String
    let created: Int
    let livemode: Bool
    let type: String
    let subject: EventSubject
    /// The request that caused it; nothing if the clock did.
    let request: String?
    let idempotencyKey: String?
    /// How many endpoints have not taken it yet.
    var pendingWebhooks = 0

    var owner: String? { nil }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "event")
            json.field("api_version", StripeAccount.apiVersion)
            json.field("created", created)
            json.object("data") { json in
                json.key("object")
                subject.write(to: &json)
            }
            json.field("livemode", livemode)
            json.field("pending_webhooks", pendingWebhooks)
            json.object("request") { json in
                json.field("id", request)
                json.field("idempotency_key", idempotencyKey)
            }
            json.field("type", type)
        }
    }
}

/// The objects that events show, as they were.
enum EventSubject: Sendable {
    case invoice(Invoice)
    case item(InvoiceItem)
    case customer(Customer)
    case payment(InvoicePayment)
    case creditNote(CreditNote)
    case charge(RefundedCharge)
    case refund(Refund)
    case dispute(Dispute)

    func write(to json: inout JSONWriter) {
        switch self {
        case .invoice(let invoice): invoice.write(to: &json)
        case .item(let item): item.write(to: &json)
        case .customer(let customer): customer.write(to: &json)
        case .payment(let payment): payment.write(to: &json)
        case .creditNote(let note): note.write(to: &json)
        case .charge(let charge): charge.write(to: &json)
        case .refund(let refund): refund.write(to: &json)
        case .dispute(let dispute): dispute.write(to: &json)
        }
    }
}

struct WebhookEndpoint: Stored {
    let id: String
    let created: Int
    let livemode: Bool
    let url: String
    /// Signs what is sent: `whsec_...`.
    let secret: String
    let enabledEvents: [String]
    var apiVersion: String?
    var description: String?
    var metadata = Metadata()
    var isDeleted = false

    var owner: String? { nil }

    func wants(_ type: String) -> Bool {
        !isDeleted && (enabledEvents.contains("*") || enabledEvents.contains(type))
    }
}
