package import HTTP
package import Ledger

/// Where alerts go, and which, and when.
package struct AlertRoute: Sendable {
    package let name: String
    package let channel: Channel
    package var match = Match()
    package var quietHours: QuietHours?
    package var cooldownSeconds = 0
    package var digestSeconds = 0
    /// Of what is not critical.
    package var messagesPerHour = 60

    package init(name: String, channel: Channel) {
        self.name = name
        self.channel = channel
    }

    package enum Channel: Sendable {
        /// An incoming webhook; its address is a secret.
        case slack(url: String)
        case pagerDuty(routingKey: String, base: String)
        case email(SMTPServer, sender: String, recipients: [String])
        /// JSON, signed with the secret.
        case webhook(url: String, secret: String)
        /// One JSON object a line is appended.
        case file(path: String)

        /// How many alerts one message may tell of. What machines read is one each.
        var mostNotes: Int {
            switch self {
            case .slack, .email: 20
            case .pagerDuty, .webhook, .file: 1
            }
        }
    }

    /// What a route hears of; an empty list is everything.
    package struct Match: Sendable {
        package var severities: [Alert.Severity] = []
        package var kinds: [String] = []
        package var customers: [String] = []
        package var jobs: [String] = []

        package init() {}

        package func accepts(_ alert: RoutedAlert) -> Bool {
            accepts(
                severity: alert.severity, kind: alert.kind, customer: alert.customerID,
                jobs: alert.jobs)
        }

        package func accepts(
            severity: Alert.Severity, kind: String, customer: String?, jobs raising: [String]
        ) -> Bool {
            (severities.isEmpty || severities.contains(severity))
                && (kinds.isEmpty || kinds.contains(kind))
                && (customers.isEmpty || customer.map(customers.contains) ?? false)
                && (jobs.isEmpty || raising.contains(where: jobs.contains))
        }
    }
}
