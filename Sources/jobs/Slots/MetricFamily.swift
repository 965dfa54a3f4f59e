internal import Ledger

/// Every metric of this program: its type, and what it says. The dashboard and the alert rules use no others.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case gauge, counter, histogram
    }

    let name: String
    let kind: Kind
    let help: String

    private init(_ name: String, _ kind: Kind, _ help: String) {
        (self.name, self.kind, self.help) = ("meterflow_" + name, kind, help)
    }

    static let all: [MetricFamily] = [
        .init("postgres_up", .gauge, "Whether the ledger answers."),
        .init("slots", .gauge, "Slots of jobs, by what became of them."),
        .init(
            "slot_oldest_due_seconds", .gauge, "How long the oldest slot that is not done is due."),
        .init("invoices", .gauge, "Invoices of the newest month."),
        .init("invoices_minor_units", .gauge, "Their totals, in minor units of their currency."),
        .init("billing_paused", .gauge, "Whether billing is paused."),
        .init("dead_letters", .gauge, "What was given up until a person has looked."),
        .init("sealing_age_seconds", .gauge, "How long ago the last batch of usage was sealed."),
        .init("quarantined_rows", .gauge, "Rows of usage that cannot be billed."),
        .init("anomalies", .gauge, "Anomalies, by their review."),
        .init("alerts", .gauge, "Alerts, by whether they are over."),
        .init("alert_messages", .gauge, "Messages to routes, by whether they were delivered."),
        .init(
            "alert_oldest_waiting_seconds", .gauge, "How long the oldest alert waits to be told."),
        .init(
            "stripe_requests_total", .counter,
            "Requests that change something at Stripe, by answer."),
        .init(
            "stripe_request_duration_seconds", .histogram, "How long Stripe took to answer them."),
        .init(
            "stripe_wait_seconds_total", .counter,
            "How long requests waited for their turn within Stripe's limits, all together."),
        .init(
            "webhook_requests_total", .counter, "Requests to the endpoint, by what became of them."),
        .init("webhook_events_total", .counter, "Events that were worked on, by how that ended."),
        .init("webhook_backfilled_total", .counter, "Events of Stripe's list that had not come."),
        .init(
            "webhook_backfill_timestamp_seconds", .gauge,
            "When Stripe's list was last read, or else the server was started."),
        .init("webhook_pending", .gauge, "Events that wait."),
        .init("webhook_oldest_pending_seconds", .gauge, "How long the oldest of them waits."),
        .init("webhook_dead_letters", .gauge, "Events that were given up."),
        .init(
            "job_alert_after_seconds", .gauge,
            "From which age of the last success on something is wrong."),
        .init(
            "job_last_success_timestamp_seconds", .gauge,
            "When a job last succeeded, by the ledger's clock."),
        .init(
            "job_last_success_age_seconds", .gauge, "How old that was when this was written."),
    ]

    /// The families that have samples, each with its help and type, in Prometheus' text format.
    static func text(_ samples: [LedgerMetrics.Sample]) -> String {
        let byFamily = Dictionary(grouping: samples) { family(of: $0.name) }
        var text = ""
        for family in all {
            guard let samples = byFamily[family.name] else { continue }
            text += "# HELP \(family.name) \(family.help)\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in samples {
                let labels = sample.labels.isEmpty ? "" : "{\(sample.labels)}"
                text += "\(sample.name)\(labels) \(sample.value)\n"
            }
        }
        return text
    }

    /// A histogram's samples have names of their own.
    static func family(of sample: String) -> String {
        for family in all where family.kind == .histogram {
            if ["_bucket", "_sum", "_count"].contains(where: { family.name + $0 == sample }) {
                return family.name
            }
        }
        precondition(all.contains { $0.name == sample }, "\(sample) is not in the list")
        return sample
    }
}
