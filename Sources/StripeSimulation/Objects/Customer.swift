/// How a customer's card behaves, which at Stripe is up to the bank.
package enum CardBehavior: String, Sendable, CaseIterable {
    case succeeds
    case cardDeclined = "card_declined"
    case insufficientFunds = "insufficient_funds"
    case expiredCard = "expired_card"
    /// The bank wants the customer to confirm (3-D Secure).
    case requiresAction = "requires_action"
    /// There is no card.
    case missing = "no_payment_method"
}

struct Customer: Stored {
    let id: String
    let created: Int
    let livemode: Bool
    var email: String?
    var name: String?
    var businessName: String?
    var individualName: String?
    var description: String?
    var phone: String?
    var address: Address?
    /// Negative: credit, which reduces the next invoice. Minor units.
    var balance = 0
    /// Of the first invoice.
    var currency: String?
    var metadata = Metadata()
    var isDeleted = false
    var card = CardBehavior.succeeds
    /// Added to lines where automatic tax is on.
    var taxPercent = 0

    var owner: String? { nil }

    struct Address: Sendable {
        static let fields = ["city", "country", "line1", "line2", "postal_code", "state"]
        var values: [String: String] = [:]
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("object", "customer")
            if isDeleted {
                json.field("deleted", true)
                return
            }
            json.address("address", address)
            json.field("balance", balance)
            if let businessName { json.field("business_name", businessName) }
            json.field("created", created)
            json.field("currency", currency)
            json.null("default_source")
            json.field("delinquent", false)
            json.field("description", description)
            json.null("discount")
            json.field("email", email)
            if let individualName { json.field("individual_name", individualName) }
            json.field("livemode", livemode)
            metadata.write(to: &json)
            json.field("name", name)
            json.field("phone", phone)
            json.null("shipping")
            json.field("tax_exempt", "none")
            json.null("test_clock")
        }
    }
}

extension JSONWriter {
    mutating func address(_ name: StaticString, _ address: Customer.Address?) {
        guard let address else { return null(name) }
        object(name) { json in
            for field in Customer.Address.fields {
                json.key(named: field)
                json.optional(address.values[field])
            }
        }
    }
}

/// Keys and values of the client's own, in the order in which they were set.
struct Metadata: Sendable, Equatable {
    private(set) var pairs: [Pair] = []

    struct Pair: Sendable, Equatable {
        let key: String
        var value: String
    }

    subscript(key: String) -> String? { pairs.first { $0.key == key }?.value }

    /// Merges: an empty value removes its key, an empty text for the whole removes all.
    mutating func merge(_ form: Form?) throws(StripeError) {
        guard let form else { return }
        if form.text == "" { pairs = [] }
        for child in form.children {
            let value = child.form.text ?? ""
            pairs.removeAll { $0.key == child.name && value.isEmpty }
            if value.isEmpty { continue }
            if let index = pairs.firstIndex(where: { $0.key == child.name }) {
                pairs[index].value = value
            } else {
                pairs.append(Pair(key: child.name, value: value))
            }
        }
        guard pairs.count <= 50 else {
            throw StripeError(
                "You can have at most 50 metadata keys on an object.", parameter: "metadata")
        }
    }

    func write(to json: inout JSONWriter) {
        json.object("metadata") { json in
            for pair in pairs {
                json.key(named: pair.key)
                json.string(pair.value)
            }
        }
    }
}
