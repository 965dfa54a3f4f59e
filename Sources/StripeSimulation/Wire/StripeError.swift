/// A refusal, in the words and the shape in which Stripe refuses.
///
/// Source: docs.stripe.com/api/errors, docs.stripe.com/error-codes.
package struct StripeError: Error, Sendable, Equatable {
    package enum Kind: String, Sendable {
        case api = "api_error"
        case card = "card_error"
        case idempotency = "idempotency_error"
        case invalidRequest = "invalid_request_error"
    }

    package var status: Int
    package var kind: Kind
    package var code: String?
    package var message: String
    package var parameter: String?
    /// Why a card was refused.
    package var declineCode: String?

    package init(
        status: Int = 400, kind: Kind = .invalidRequest, code: String? = nil, _ message: String,
        parameter: String? = nil, declineCode: String? = nil
    ) {
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message
        self.parameter = parameter
        self.declineCode = declineCode
    }

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.object("error") { json in
                if let code { json.field("code", code) }
                if let declineCode { json.field("decline_code", declineCode) }
                if let code {
                    let page = code.split(separator: "_").joined(separator: "-")
                    json.field("doc_url", "https://stripe.com/docs/error-codes/\(page)")
                }
                json.field("message", message)
                if let parameter { json.field("param", parameter) }
                json.field("type", kind.rawValue)
            }
        }
    }
}

extension StripeError {
    /// An object that is not there: 404 if the path names it, 400 if a parameter does.
    static func missing(_ kind: String, _ id: String, parameter: String) -> StripeError {
        StripeError(
            status: parameter == "id" ? 404 : 400, code: "resource_missing",
            "No such \(kind): '\(id)'", parameter: parameter)
    }

    static func notEditable(_ message: String) -> StripeError {
        StripeError(code: "invoice_not_editable", message)
    }

    /// A parameter that Stripe knows and the simulator does not serve; better than to ignore it.
    static func unserved(_ name: String) -> StripeError {
        StripeError(
            "The simulator does not serve the parameter \(name), which Stripe knows.",
            parameter: name)
    }

    static let rateLimited = StripeError(
        status: 429, code: "rate_limit",
        "Request rate limit exceeded. Learn more about rate limits here "
            + "https://stripe.com/docs/rate-limits.")

    static let lockTimeout = StripeError(
        status: 429, code: "lock_timeout",
        "This object cannot be accessed right now because another API request or Stripe process "
            + "is currently accessing it. If you see this error intermittently, retry the "
            + "request. If you see this error frequently and are making multiple concurrent "
            + "requests to a single object, make your requests serially or at a lower rate.")

    static let internalError = StripeError(
        status: 500, kind: .api,
        "Sorry, an error occurred on Stripe's side. The simulator was told to answer so.")

    static func keyInUse(_ key: String) -> StripeError {
        StripeError(
            status: 409, kind: .idempotency, code: "idempotency_key_in_use",
            "There is currently another in-progress request using this Idempotent Key (that "
                + "probably means you submitted twice, and the other request is still going "
                + "through): \(key).")
    }
}
