/// A request to Stripe as it goes over the wire.
package struct StripeCall: Sendable, Equatable {
    package let method: String
    package let path: String
    /// Form-encoded; empty: none.
    package let query: String
    /// Form-encoded.
    package let body: String?
    package let idempotencyKey: String?

    package static func get(_ path: String, _ query: StripeForm = [:]) -> Self {
        Self(method: "GET", path: path, query: query.encoded, body: nil, idempotencyKey: nil)
    }

    package static func post(_ path: String, body: String, key: String) -> Self {
        Self(method: "POST", path: path, query: "", body: body, idempotencyKey: key)
    }

    package static func delete(_ path: String) -> Self {
        Self(method: "DELETE", path: path, query: "", body: nil, idempotencyKey: nil)
    }

    /// What Stripe's limits count as one: the method and the path, whatever the ids.
    package var endpoint: String {
        let parts = path.split(separator: "/").map { $0.hasPrefix("in_") ? "{invoice}" : $0 }
        return "\(method) /\(parts.joined(separator: "/"))"
    }
}

/// An answer, whatever its status.
package struct StripeResponse: Sendable {
    package let status: Int
    package let requestID: String?
    /// The answer to an earlier request with the same key.
    package let isReplayed: Bool
    package let shouldRetry: Bool?
    /// Whether one of Stripe's rate limiters refused the request.
    package let isRateLimited: Bool
    package let body: [UInt8]

    package init(
        status: Int, requestID: String?, isReplayed: Bool, shouldRetry: Bool?,
        isRateLimited: Bool, body: [UInt8]
    ) {
        self.status = status
        self.requestID = requestID
        self.isReplayed = isReplayed
        self.shouldRetry = shouldRetry
        self.isRateLimited = isRateLimited
        self.body = body
    }
}

/// No whole answer came; the request may have arrived all the same.
package struct StripeUnreachable: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// The way to Stripe.
package protocol StripeTransport: Sendable {
    /// Waits until Stripe's limits let the call go out.
    func awaitTurn(of call: StripeCall) async throws
    /// - Throws: ``StripeUnreachable``; `CancellationError`.
    func send(_ call: StripeCall) async throws -> StripeResponse
}
