/// Events on their way to endpoints.
struct DeliveryQueue: Sendable {
    struct Delivery: Sendable {
        let number: Int
        let event: String
        let endpoint: String
        /// How many attempts failed.
        var failures = 0
        /// Milliseconds since 1970, when it is tried next.
        var due: Int
        let firstDue: Int
    }

    private(set) var waiting: [Int: Delivery] = [:]
    private var count = 0

    mutating func add(event: String, endpoint: String, at due: Int) {
        count += 1
        waiting[count] = Delivery(
            number: count, event: event, endpoint: endpoint, due: due, firstDue: due)
    }

    subscript(number: Int) -> Delivery? {
        get { waiting[number] }
        set { waiting[number] = newValue }
    }

    mutating func removeAll(for endpoint: String) -> [Delivery] {
        let removed = waiting.values.filter { $0.endpoint == endpoint }
        for delivery in removed { waiting[delivery.number] = nil }
        return removed
    }
}

extension StripeAccount {
    /// What became of an attempt: taken (2xx), or to be tried again, for up to three days.
    func settleDelivery(_ number: Int, isTaken: Bool) {
        guard var delivery = deliveries[number] else { return }
        if isTaken {
            deliveries[number] = nil
            events[delivery.event]?.pendingWebhooks -= 1
            return
        }
        delivery.failures += 1
        // 5 s, 10 s, 20 s and so on, at most every 12 hours.
        let pause = min(5_000 << min(delivery.failures - 1, 16), 12 * 3_600_000)
        delivery.due = now + pause
        let isOver = delivery.due - delivery.firstDue > 3 * 86_400_000
        deliveries[number] = isOver ? nil : delivery
    }
}
