internal import Exact
internal import Foundation
internal import Ledger

/// Whom to tell what of an event. Pure: the same event makes the same keys, so each alert is raised once.
struct WebhookAlerts {
    let event: WebhookEvent
    let subject: WebhookSubject
    let found: StripeStanding
    let disputes: [StripeDispute]
    let before: InvoiceStatus
    let after: InvoiceStatus

    var changes: AlertChanges {
        var changes = AlertChanges()
        changes.raised = raised
        if found.invoice.status != .draft { changes.endedKinds.append("finalization_failed") }
        if [.paid, .void, .uncollectible].contains(after) {
            changes.endedKinds += ["payment_failed", "payment_action_required", "invoice_overdue"]
        }
        if after == .paid || after == .void { changes.endedKinds.append("invoice_uncollectible") }
        // It is the ledger's, whatever it was taken for.
        changes.endedKeys = [Self.secondKey(found.invoice.id)]
        changes.endedKeys += disputes.filter { $0.standing != .open }.map {
            key("invoice_disputed", $0.id)
        }
        return changes
    }

    private var raised: [Alert] {
        switch event.type {
        case "invoice.payment_failed" where found.invoice.status == .open:
            // Stripe tries several times; each is told.
            let attempt = event.object.attemptCount ?? found.attemptCount
            return [alert("payment_failed", .warning, "\(attempt)", next: nextAttempt, attempt)]
        case "invoice.payment_action_required" where found.invoice.status == .open:
            let attempt = event.object.attemptCount ?? found.attemptCount
            let page = found.hostedInvoiceURL ?? "Stripe's page of the invoice"
            return [
                alert(
                    "payment_action_required", .warning, "\(attempt)",
                    next: "the customer has to confirm the payment at \(page)", attempt)
            ]
        case "invoice.overdue" where found.invoice.status == .open:
            return [
                alert(
                    "invoice_overdue", .warning, nil, next: "remind the customer, or write it off")
            ]
        case "invoice.finalization_failed" where found.invoice.status == .draft:
            let reason = found.finalizationError ?? "Stripe gives no reason"
            return [
                alert(
                    "finalization_failed", .critical, nil,
                    next: "nothing is charged until this is mended: \(reason)")
            ]
        default: return moveAlert + disputeAlerts
        }
    }

    /// What ends an invoice without money is told by whatever event it is found.
    private var moveAlert: [Alert] {
        guard before != after else { return [] }
        switch after {
        case .uncollectible:
            return [
                alert("invoice_uncollectible", .warning, nil, next: "Stripe collects it no more")
            ]
        case .void:
            return [
                alert(
                    "invoice_voided", .warning, nil,
                    next: "it was voided at Stripe and charges nothing")
            ]
        default: return []
        }
    }

    private var disputeAlerts: [Alert] {
        disputes.filter { $0.standing == .open }.map { dispute in
            let due = dispute.evidence?.dueBy.flatMap { $0 > 0 ? $0 : nil }
            let deadline = due.map { "\(Instant(milliseconds: $0 * 1000))" }
            return alert(
                "invoice_disputed", .critical, dispute.id,
                next: "answer the dispute in Stripe's dashboard"
                    + (deadline.map { " before \($0)" } ?? ""),
                also: [
                    "amount_minor": .integer(dispute.amount), "currency": .string(dispute.currency),
                    "due_by": deadline.map(JSONTree.string) ?? .null,
                ])
        }
    }

    private var nextAttempt: String {
        guard let time = found.nextPaymentAttempt else {
            return "Stripe does not try again: agree with the customer, or mark it uncollectible"
        }
        return "Stripe tries again at \(Instant(milliseconds: time * 1000))"
    }

    private func key(_ kind: String, _ part: String?) -> String {
        [kind, subject.invoiceID, part].compactMap(\.self).joined(separator: ":")
    }

    private func alert(
        _ kind: String, _ severity: Alert.Severity, _ part: String?, next: String,
        _ attempt: Int? = nil, also more: [String: JSONTree] = [:]
    ) -> Alert {
        let body: [String: JSONTree] = [
            "invoice_id": .string(subject.invoiceID), "customer_id": .string(subject.customerID),
            "slot": .string(subject.slot), "stripe_invoice_id": .string(found.invoice.id),
            "amount_minor": .integer(found.amountRemaining),
            "currency": .string(found.invoice.currency),
            "attempt_count": .integer(Int64(attempt ?? found.attemptCount)), "next": .string(next),
        ]
        return Alert(
            key: key(kind, part), kind: kind, severity: severity, subject: subject.invoiceID,
            body: JSONTree.object(body.merging(more) { $1 }).text)
    }

    private static func secondKey(_ stripeID: String) -> String { "second_invoice:\(stripeID)" }

    /// A second invoice at Stripe for one of ours: a customer may pay twice.
    static func second(_ found: StripeStanding, _ subject: WebhookSubject) -> AlertChanges {
        var changes = AlertChanges()
        changes.raised = [
            Alert(
                key: secondKey(found.invoice.id), kind: "second_invoice", severity: .critical,
                subject: subject.invoiceID,
                body: JSONTree.object([
                    "invoice_id": .string(subject.invoiceID),
                    "customer_id": .string(subject.customerID),
                    "stripe_invoice_id": .string(found.invoice.id),
                    "amount_minor": .integer(found.amountDue),
                    "currency": .string(found.invoice.currency),
                    "next": .string(
                        "look at it in Stripe's dashboard, and void it if it is not paid"),
                ]).text)
        ]
        return changes
    }

    /// Nobody pays by it.
    static func noSecond(_ stripeID: String) -> AlertChanges {
        var changes = AlertChanges()
        changes.endedKeys = [secondKey(stripeID)]
        return changes
    }

    /// - Parameter invoice: ours, if the event names it.
    static func deadLetter(
        _ event: String, reason: String, of invoice: (id: String, customerID: String)?
    ) -> Alert {
        var body: [String: JSONTree] = [
            "event_id": .string(event), "reason": .string(reason),
            "next": .string(
                "jobs webhooks show \(event); when it is mended: jobs webhooks replay \(event)"),
        ]
        if let invoice {
            body["invoice_id"] = .string(invoice.id)
            body["customer_id"] = .string(invoice.customerID)
        }
        return Alert(
            key: Alert.deadWebhookKey(event), kind: "webhook_dead_letter", severity: .critical,
            subject: event, body: JSONTree.object(body).text)
    }
}
