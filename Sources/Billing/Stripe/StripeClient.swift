internal import Foundation

/// Why Stripe did not do what it was asked. Source: docs.stripe.com/error-low-level.
package struct StripeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What follows from it.
    package enum Kind: Sendable, Equatable {
        /// The same again, a little later. What came of it is not known.
        case retry
        /// A limit: the same again, more slowly. Nothing was done.
        case throttled
        /// Stored under the key: it will say nothing else. What came of it is not known.
        case burned
        /// Not done, and not done by asking again.
        case refused
        /// The key is not let in: nobody's request will be.
        case unauthorized
    }

    package let kind: Kind
    package let status: Int
    package let code: String?
    package let requestID: String?
    package let isReplayed: Bool
    package let message: String

    package var isMissing: Bool { status == 404 || code == "resource_missing" }

    package var description: String {
        let parts = [status == 0 ? nil : "\(status)", code, requestID].compactMap(\.self)
        return parts.isEmpty ? message : "\(message) [\(parts.joined(separator: ", "))]"
    }

    /// - Parameter response: with a status that is no success.
    init(_ response: StripeResponse) {
        struct Body: Decodable {
            struct Content: Decodable {
                let type: String?
                let code: String?
                let message: String?
            }

            let error: Content
        }
        let error = try? JSONDecoder().decode(Body.self, from: Data(response.body)).error
        status = response.status
        code = error?.code
        requestID = response.requestID
        isReplayed = response.isReplayed
        message = error?.message ?? "Stripe answered \(response.status) without an error of its own"
        kind = Self.kind(response, type: error?.type, code: error?.code)
    }

    init(unreachable error: StripeUnreachable) {
        self.init(kind: .retry, message: error.description)
    }

    init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
        (status, code, requestID, isReplayed) = (0, nil, nil, false)
    }

    private static func kind(_ response: StripeResponse, type: String?, code: String?) -> Kind {
        // 403 may be of one object only; of a key that may nothing, everything is dead letters.
        if response.status == 401 { return .unauthorized }
        // The first request under this key is still at work: its answer comes to whoever waits.
        if response.status == 409, code == "idempotency_key_in_use" { return .retry }
        if response.isReplayed || type == "idempotency_error" { return .burned }
        if response.status == 429, code != "lock_timeout" { return .throttled }
        if let shouldRetry = response.shouldRetry { return shouldRetry ? .retry : .refused }
        switch response.status {
        case 409, 429, 500...: return .retry
        default: return .refused
        }
    }
}

/// How often a request was tried.
struct Tries {
    private let patience: StripeClient.Patience
    private var failures = 0
    private var throttles = 0

    init(_ patience: StripeClient.Patience) {
        self.patience = patience
    }

    /// - Throws: the error itself if it has been tried often enough. A limit, which nobody is to blame
    ///   for, may be met ten times as often.
    mutating func wait(after error: StripeError) async throws {
        if error.kind == .throttled { throttles += 1 } else { failures += 1 }
        guard failures < patience.attempts, throttles < patience.attempts * 10 else { throw error }
        try await patience.wait(patience.delay(after: max(1, failures)))
    }
}

/// Asks Stripe, and waits and asks again where that helps.
package struct StripeClient: Sendable {
    /// How long to wait, and how often to ask.
    package struct Patience: Sendable {
        package var attempts = 8
        /// Waits for so many seconds.
        package var wait: @Sendable (Double) async throws -> Void = {
            try await Task.sleep(for: .seconds($0))
        }
        /// From 0 to 1.
        package var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

        package init() {}

        /// Before attempt `number` + 1, in seconds: as Stripe's own libraries do.
        func delay(after number: Int) -> Double {
            let exponential = min(0.5 * Double(1 << min(number - 1, 10)), 5)
            return max(0.5, exponential * (0.5 + random() / 2))
        }
    }

    package let transport: any StripeTransport
    package let patience: Patience

    package init(transport: any StripeTransport, patience: Patience = Patience()) {
        self.transport = transport
        self.patience = patience
    }

    /// One attempt.
    ///
    /// - Throws: ``StripeError``; `CancellationError`.
    func attempt<Object: Decodable>(
        _ call: StripeCall, as type: Object.Type
    ) async throws -> (object: Object, response: StripeResponse) {
        let response: StripeResponse
        do {
            response = try await transport.send(call)
        } catch let error as StripeUnreachable {
            throw StripeError(unreachable: error)
        }
        guard (200..<300).contains(response.status) else { throw StripeError(response) }
        do {
            return (try JSONDecoder().decode(type, from: Data(response.body)), response)
        } catch {
            // Stripe did it and said so, in words that we do not understand: asking again under the
            // same key gives the same answer, or a whole one if this was cut off.
            throw StripeError(kind: .retry, message: "an answer of Stripe cannot be read: \(error)")
        }
    }

    /// A request that changes nothing, or that may be repeated.
    package func ask<Object: Decodable>(
        _ call: StripeCall, as type: Object.Type = Object.self
    ) async throws -> Object {
        var tries = Tries(patience)
        while true {
            try await transport.awaitTurn(of: call)
            do {
                return try await attempt(call, as: type).object
            } catch let error as StripeError where error.kind == .retry || error.kind == .throttled
            {
                try await tries.wait(after: error)
            }
        }
    }

    /// All elements of a list, page by page.
    package func list<Element: Decodable & Sendable & Equatable>(
        _ path: String, _ filter: StripeForm, id: (Element) -> String,
        _ body: ([Element]) async throws -> Void
    ) async throws {
        var last: String?
        while true {
            var query = filter
            query.add("limit", "100")
            if let last { query.add("starting_after", last) }
            let page: StripeList<Element> = try await ask(.get(path, query))
            try await body(page.data)
            guard page.hasMore, let next = page.data.last else { return }
            last = id(next)
        }
    }
    /// All lines of an invoice; those beyond the first page are read.
    func lines(of invoice: StripeInvoice) async throws -> [StripeLine] {
        guard invoice.lines.hasMore else { return invoice.lines.data }
        var lines: [StripeLine] = []
        try await list("/v1/invoices/\(invoice.id)/lines", [:], id: \StripeLine.id) { lines += $0 }
        return lines
    }
}
