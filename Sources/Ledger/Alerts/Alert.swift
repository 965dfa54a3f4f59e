/// Something that a person should hear of, once for each key, until it is resolved.
package struct Alert: Sendable, Equatable {
    package enum Severity: String, Sendable, CaseIterable {
        case info, warning, critical
    }

    package let key: String
    package let kind: String
    package let severity: Severity
    /// What it is about: an id.
    package let subject: String
    /// A JSON object. Routes choose by its `customer_id` and `job`; `next` says what to do.
    package let body: String

    /// Every kind there is, and the jobs that raise it; `jobs serve` raises what process-webhooks does.
    package static let jobs: [String: [String]] = [
        "payment_failed": ["process-webhooks"], "payment_action_required": ["process-webhooks"],
        "invoice_overdue": ["process-webhooks"], "invoice_uncollectible": ["process-webhooks"],
        "invoice_voided": ["process-webhooks"], "invoice_disputed": ["process-webhooks"],
        "finalization_failed": ["process-webhooks"], "second_invoice": ["process-webhooks"],
        "webhook_dead_letter": ["process-webhooks"], "drift": ["reconcile"],
        "anomaly": ["detect-anomalies", "refresh-state", "check-patterns"],
        "anomalies": ["detect-anomalies", "refresh-state", "check-patterns"],
    ]

    package init(key: String, kind: String, severity: Severity, subject: String, body: String) {
        self.key = key
        self.kind = kind
        self.severity = severity
        self.subject = subject
        self.body = body
    }
}
