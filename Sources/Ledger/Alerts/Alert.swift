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

    package init(key: String, kind: String, severity: Severity, subject: String, body: String) {
        self.key = key
        self.kind = kind
        self.severity = severity
        self.subject = subject
        self.body = body
    }
}
