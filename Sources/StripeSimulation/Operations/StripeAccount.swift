internal import Digest

/// The state of one account at Stripe, and what every operation does to it.
///
/// The same inputs at the same times make the same state, ids included: that is what the journal
/// relies on. Nothing here reads a clock, draws a random number, or does input or output.
final class StripeAccount {
    static let apiVersion = "2026-10-28.endive"

    let id: String
    let livemode: Bool
    /// Milliseconds since 1970, moved by whoever calls.
    var now = 0
    /// How many ids were given out.
    private var idCount: UInt64 = 0
    private var invoiceCount = 0
    private var creditNoteCount = 0

    var customers = Shelf<Customer>()
    var invoices = Shelf<Invoice>()
    var items = Shelf<InvoiceItem>()
    /// The items of each customer that belong to no invoice yet, oldest first.
    var pendingItems: [String: [String]] = [:]
    var payments = Shelf<InvoicePayment>()
    var creditNotes = Shelf<CreditNote>()
    var refunds = Shelf<Refund>()
    var disputes = Shelf<Dispute>()
    var events = Shelf<Event>()
    var endpoints = Shelf<WebhookEndpoint>()
    var effects = EffectCounts()
    var agenda = Agenda()
    var deliveries = DeliveryQueue()
    /// The request that is being executed; nothing while the clock acts.
    var cause: Cause?

    struct Cause {
        let request: String
        let idempotencyKey: String?
    }

    init(id: String, livemode: Bool) {
        self.id = id
        self.livemode = livemode
    }

    /// Seconds since 1970, as objects state them.
    var time: Int { now / 1_000 }

    /// `in_` and 24 characters that look random and follow from the account and a count.
    func newID(_ prefix: String) -> String {
        idCount += 1
        return prefix + Self.scrambled("\(id) \(idCount)", count: 24)
    }

    private static let alphabet = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func scrambled(_ text: String, count: Int) -> String {
        let digest = SHA256.hash(Array(text.utf8))
        return String(
            decoding: digest.prefix(count).map { alphabet[Int($0) % alphabet.count] },
            as: UTF8.self)
    }

    func newInvoiceNumber() -> String {
        invoiceCount += 1
        return "SIM-" + Self.padded(invoiceCount)
    }

    func newCreditNoteNumber() -> String {
        creditNoteCount += 1
        return "SIM-CN-" + Self.padded(creditNoteCount)
    }

    private static func padded(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 6 - text.count)) + text
    }

    func customer(_ id: String, parameter: String) throws(StripeError) -> Customer {
        guard let customer = customers[id], !customer.isDeleted else {
            throw .missing("customer", id, parameter: parameter)
        }
        return customer
    }

    func invoice(_ id: String, parameter: String = "id") throws(StripeError) -> Invoice {
        guard let invoice = invoices[id] else {
            throw .missing("invoice", id, parameter: parameter)
        }
        return invoice
    }

    /// Records what happened as an event, and sends it to the endpoints that want it.
    func emit(_ type: String, _ subject: EventSubject) {
        let id = newID("evt_")
        let receivers = endpoints.all.filter { $0.wants(type) }.map(\.id)
        events[id] = Event(
            id: id, created: time, livemode: livemode, type: type, subject: subject,
            request: cause?.request, idempotencyKey: cause?.idempotencyKey,
            pendingWebhooks: receivers.count)
        for receiver in receivers { deliveries.add(event: id, endpoint: receiver, at: now) }
    }

    /// Stores the invoice as it is now, and tells about it.
    func save(_ invoice: Invoice, _ event: String) {
        invoices[invoice.id] = invoice
        emit(event, .invoice(invoice))
    }
}

/// One call of an operation, its parameters checked.
struct Call {
    let operation: String
    /// The object that the path names.
    let id: String
    let form: Form
}

/// What an operation answers.
enum Answer: Sendable {
    case object(Snapshot)
    case list(url: String, [Snapshot], hasMore: Bool)
    case lines(url: String, invoice: String, [InvoiceLine], hasMore: Bool)
    case account(id: String, livemode: Bool)
    case refusal(StripeError)

    var status: Int {
        if case .refusal(let error) = self { error.status } else { 200 }
    }

    func write(to json: inout JSONWriter) {
        switch self {
        case .object(let snapshot): snapshot.write(to: &json)
        case .refusal(let error): error.write(to: &json)
        case .list(let url, let snapshots, let hasMore):
            Self.write(url: url, hasMore: hasMore, to: &json) { json in
                for snapshot in snapshots { snapshot.write(to: &json) }
            }
        case .lines(let url, let invoice, let lines, let hasMore):
            Self.write(url: url, hasMore: hasMore, to: &json) { json in
                for line in lines { line.write(to: &json, invoice: invoice) }
            }
        case .account(let id, let livemode):
            json.object { json in
                json.field("id", id)
                json.field("object", "account")
                json.field("charges_enabled", true)
                json.field("country", "US")
                json.field("default_currency", "usd")
                json.field("details_submitted", true)
                json.field("email", "simulator@example.com")
                json.field("livemode", livemode)
                json.field("payouts_enabled", true)
                json.field("type", "standard")
            }
        }
    }

    private static func write(
        url: String, hasMore: Bool, to json: inout JSONWriter,
        _ data: (inout JSONWriter) -> Void
    ) {
        json.object { json in
            json.field("object", "list")
            json.array("data", data)
            json.field("has_more", hasMore)
            json.field("url", url)
        }
    }
}
