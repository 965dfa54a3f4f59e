internal import Digest

/// One event on its way to an endpoint.
package struct WebhookDelivery: Sendable, Equatable {
    package let number: Int
    package let url: String
    package let body: [UInt8]
    /// `Stripe-Signature`.
    package let signature: String
}

/// How events are delivered, which the control interface sets.
struct WebhookConduct {
    var isOn = true
    /// Of a hundred deliveries, how many are sent twice.
    var duplicatesPercent = 0
    /// What is due at the same time is sent in an order of its own.
    var isReordering = false
    /// How long an event waits before its first attempt.
    var delayMilliseconds = 0
    var inFlight: Set<Int> = []
}

/// `Stripe-Signature`, as docs.stripe.com/webhooks describes it.
package enum WebhookSignature {
    /// - Parameters:
    ///   - secret: the whole `whsec_...`; several while a secret is being rolled.
    ///   - time: seconds since 1970.
    package static func header(body: [UInt8], secrets: [String], time: Int) -> String {
        let signed = Array("\(time).".utf8) + body
        let signatures = secrets.map { secret in
            ",v1=" + hexadecimal(HMACSHA256.authenticate(signed, key: Array(secret.utf8)))
        }
        return "t=\(time)" + signatures.joined()
    }
}

/// What is needed to write a delivery out.
struct PreparedDelivery {
    let number: Int
    let event: Event
    let endpoint: WebhookEndpoint
    let time: Int

    func delivery() -> WebhookDelivery {
        var json = JSONWriter()
        event.write(to: &json)
        return WebhookDelivery(
            number: number, url: endpoint.url, body: json.bytes,
            signature: WebhookSignature.header(
                body: json.bytes, secrets: [endpoint.secret], time: time))
    }
}

extension Engine {
    func takeDeliveries(limit: Int) -> [PreparedDelivery] {
        tick()
        guard webhooks.isOn, !account.deliveries.waiting.isEmpty else { return [] }
        let delay = webhooks.delayMilliseconds
        var due = account.deliveries.waiting.values.filter {
            !webhooks.inFlight.contains($0.number)
                && $0.due + ($0.failures == 0 ? delay : 0) <= account.now
        }
        if webhooks.isReordering {
            due.sort { Self.shuffled($0.number) < Self.shuffled($1.number) }
        } else {
            due.sort { ($0.due, $0.number) < ($1.due, $1.number) }
        }
        var prepared: [PreparedDelivery] = []
        for delivery in due.prefix(limit) {
            guard let event = account.events[delivery.event],
                let endpoint = account.endpoints[delivery.endpoint]
            else { continue }
            webhooks.inFlight.insert(delivery.number)
            // The signature's time is the real one: the receiver knows nothing of our clock.
            let one = PreparedDelivery(
                number: delivery.number, event: event, endpoint: endpoint,
                time: settings.clock() / 1_000)
            prepared.append(one)
            let draw = Self.shuffled(delivery.number + 1_000_000_007) % 100
            if draw < UInt64(webhooks.duplicatesPercent) { prepared.append(one) }
        }
        return prepared
    }

    func report(_ number: Int, isTaken: Bool) {
        webhooks.inFlight.remove(number)
        settle(delivery: number, isTaken: isTaken)
    }

    private static func shuffled(_ number: Int) -> UInt64 {
        var value = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        return value ^ (value >> 27)
    }
}
