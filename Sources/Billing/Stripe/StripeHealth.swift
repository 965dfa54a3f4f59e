/// What Stripe says of our account and its endpoints: read only.
package struct StripeHealth: Sendable {
    package struct Endpoint: Sendable, Equatable, Decodable {
        package let id: String
        package let url: String
        package let status: String
        package let apiVersion: String?
        package let enabledEvents: [String]

        enum CodingKeys: String, CodingKey {
            case id, url, status
            case apiVersion = "api_version"
            case enabledEvents = "enabled_events"
        }

        /// Events that are read here, and that Stripe does not send to it.
        package var missing: [String] {
            enabledEvents == ["*"] ? [] : WebhookTypes.all.filter { !enabledEvents.contains($0) }
        }
    }

    private let client: StripeClient

    package init(client: StripeClient) {
        self.client = client
    }

    package func accountID() async throws -> String {
        let account: StripeAccount = try await client.ask(.get("/v1/account"))
        return account.id
    }

    /// Those that pass events to `jobs serve`.
    package func endpoints() async throws -> [Endpoint] {
        var found: [Endpoint] = []
        try await client.list("/v1/webhook_endpoints", [:], id: \Endpoint.id) { found += $0 }
        return found.filter { $0.url.hasSuffix("/webhooks/stripe") }
    }
}
