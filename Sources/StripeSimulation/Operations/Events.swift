extension StripeAccount {
    /// The events of the last 30 days; what is older was forgotten.
    func listEvents(_ form: Form) throws(StripeError) -> Answer {
        if form["type"] != nil, form["types"] != nil {
            throw StripeError(
                code: "parameters_exclusive",
                "You may only specify one of these parameters: type, types.", parameter: "type")
        }
        let types = form["types"]?.children.compactMap(\.form.text) ?? []
        guard types.count <= 20 else {
            throw StripeError("You can list at most 20 types.", parameter: "types")
        }
        let wanted = Set(types + [form.text("type")].compactMap { $0 })
        let isDelivered = form.bool("delivery_success")
        let oldest = oldestEvent
        let page = try events.page(form, kind: "event") { event in
            event.created >= oldest
                && (wanted.isEmpty || wanted.contains { event.type.matches($0) })
                && (isDelivered == nil || (event.pendingWebhooks == 0) == isDelivered)
        }
        return .list(url: "/v1/events", page.items.map(Snapshot.event), hasMore: page.hasMore)
    }

    func retrieveEvent(_ id: String) throws(StripeError) -> Answer {
        guard let event = events[id], event.created >= oldestEvent else {
            throw .missing("event", id, parameter: "id")
        }
        return .object(.event(event))
    }

    /// Events are kept for 30 days.
    private var oldestEvent: Int { time - 30 * 86_400 }

    func forgetOldEvents() {
        let oldest = oldestEvent
        events.removeOldest { $0.created < oldest }
    }

    func createEndpoint(_ form: Form) throws(StripeError) -> Answer {
        let url = form.text("url") ?? ""
        guard url.hasPrefix("https://") || (url.hasPrefix("http://") && !livemode) else {
            throw StripeError(
                code: "url_invalid",
                "Invalid URL: an explicit scheme (such as https) must be "
                    + "provided.", parameter: "url")
        }
        guard endpoints.all.filter({ !$0.isDeleted }).count < 16 else {
            throw StripeError("You have reached the maximum of 16 test webhook endpoints.")
        }
        var endpoint = WebhookEndpoint(
            id: newID("we_"), created: time, livemode: livemode, url: url,
            secret: newID("whsec_"),
            enabledEvents: form["enabled_events"]?.children.compactMap(\.form.text) ?? [])
        endpoint.apiVersion = form.text("api_version")
        endpoint.description = form.text("description")
        try endpoint.metadata.merge(form["metadata"])
        endpoints[endpoint.id] = endpoint
        return .object(.endpoint(endpoint, showsSecret: true))
    }

    /// An endpoint that was named when the simulator was started; it wants every event.
    func addEndpoint(url: String, secret: String) {
        let endpoint = WebhookEndpoint(
            id: newID("we_"), created: time, livemode: livemode, url: url, secret: secret,
            enabledEvents: ["*"])
        endpoints[endpoint.id] = endpoint
    }

    func retrieveEndpoint(_ id: String) throws(StripeError) -> Answer {
        .object(.endpoint(try endpoint(id), showsSecret: false))
    }

    /// Deliveries that still wait for the endpoint are given up.
    func deleteEndpoint(_ id: String) throws(StripeError) -> Answer {
        var endpoint = try endpoint(id)
        endpoint.isDeleted = true
        endpoints[id] = endpoint
        for delivery in deliveries.removeAll(for: id) {
            events[delivery.event]?.pendingWebhooks -= 1
        }
        return .object(.endpoint(endpoint, showsSecret: false))
    }

    func listEndpoints(_ form: Form) throws(StripeError) -> Answer {
        let page = try endpoints.page(form, kind: "webhook endpoint") { !$0.isDeleted }
        return .list(
            url: "/v1/webhook_endpoints",
            page.items.map { .endpoint($0, showsSecret: false) }, hasMore: page.hasMore)
    }

    private func endpoint(_ id: String) throws(StripeError) -> WebhookEndpoint {
        guard let endpoint = endpoints[id], !endpoint.isDeleted else {
            throw .missing("webhook endpoint", id, parameter: "id")
        }
        return endpoint
    }
}

extension String {
    /// `invoice.*` stands for every type of that family.
    fileprivate func matches(_ type: String) -> Bool {
        type.hasSuffix(".*") ? hasPrefix(type.dropLast()) : self == type
    }
}
