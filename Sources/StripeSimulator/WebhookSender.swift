internal import HTTP
internal import ServiceLifecycle
internal import StripeSimulation

/// Sends what is due, a few events at a time, and lets the clock of the simulator go on.
struct WebhookSender: Service {
    let simulator: StripeSimulator

    func run() async throws {
        let client = try HTTPClient(configuration: .init(userAgent: "stripe-simulator"))
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let deliveries = simulator.takeDeliveries()
                await withTaskGroup { group in
                    for delivery in deliveries {
                        group.addTask { await send(delivery, client) }
                    }
                }
                if deliveries.isEmpty { try? await Task.sleep(for: .milliseconds(20)) }
            }
        }
        await client.shutdown()
    }

    /// Any answer but 2xx is a failure, and so is none within ten seconds.
    private func send(_ delivery: WebhookDelivery, _ client: HTTPClient) async {
        var request = HTTPRequest(
            method: "POST", url: delivery.url,
            headers: [
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": delivery.signature,
            ], body: .bytes(delivery.body))
        request.timeouts.totalSeconds = 10
        let status = try? await client.send(request).status
        simulator.report(delivery, isTaken: status.map { (200..<300).contains($0) } ?? false)
    }
}
