/// An endpoint that is registered with Stripe.
package struct WebhookEndpoint: Sendable, Equatable, Decodable {
    package let id: String
    /// Stripe says it once.
    package let secret: String

    /// Asks Stripe to send the events that are read here, as snapshots of the version that is read here.
    ///
    /// - Throws: ``StripeError``. If nothing is known of the answer, the dashboard shows whether it is there.
    package static func create(
        url: String, idempotencyKey: String, client: StripeClient
    ) async throws -> WebhookEndpoint {
        var form: StripeForm = [
            "url": url, "api_version": StripeConnection.version,
            "description": "MeterFlow jobs",
        ]
        for (index, type) in WebhookTypes.all.enumerated() {
            form.add("enabled_events[\(index)]", type)
        }
        return try await client.ask(
            .post("/v1/webhook_endpoints", body: form.encoded, key: idempotencyKey))
    }
}
