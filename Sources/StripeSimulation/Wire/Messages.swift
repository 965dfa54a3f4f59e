/// What of an HTTP request matters to Stripe.
package struct SimulatedRequest: Sendable, Equatable {
    package var method: String
    /// Without the query, percent-decoding not applied: `/v1/invoices/in_1`.
    package var path: String
    /// What stands after the question mark.
    package var query: String
    /// `application/x-www-form-urlencoded`, or JSON below `/_sim/`.
    package var body: [UInt8]
    package var authorization: String?
    package var idempotencyKey: String?
    package var version: String?

    package init(
        method: String, path: String, query: String = "", body: [UInt8] = [],
        authorization: String? = nil, idempotencyKey: String? = nil, version: String? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.authorization = authorization
        self.idempotencyKey = idempotencyKey
        self.version = version
    }
}

package struct SimulatedResponse: Sendable, Equatable {
    package var status: Int
    package var headers: [Header]
    package var body: [UInt8]

    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    package init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of a header, whatever its case.
    package subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// What becomes of a request: an answer, and how much of it reaches the client.
package struct Outcome: Sendable, Equatable {
    package enum Transport: Sendable, Equatable {
        /// The client gets the answer whole.
        case whole
        /// The connection is closed before the first byte of an answer.
        case closed
        /// The connection is reset (RST) before the first byte of an answer.
        case reset
        /// The head announces the whole body, half of it comes, then the connection is closed.
        case truncated
    }

    package let response: SimulatedResponse
    package let transport: Transport
    /// How long the client waits for what the transport says.
    package let delayMilliseconds: Int
}
