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

    var alerts: [Alert] {
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
        disputes.filter { $0.standing == .open }.map {
            alert(
                "invoice_disputed", .critical, $0.id,
                next: "answer the dispute of \($0.amount) minor units in Stripe's dashboard")
        }
    }

    private var nextAttempt: String {
        guard let time = found.nextPaymentAttempt else {
            return "Stripe does not try again: agree with the customer, or mark it uncollectible"
        }
        return "Stripe tries again at \(Instant(milliseconds: time * 1000))"
    }

    private func alert(
        _ kind: String, _ severity: Alert.Severity, _ part: String?, next: String,
        _ attempt: Int? = nil
    ) -> Alert {
        let key = [kind, subject.invoiceID, part].compactMap(\.self).joined(separator: ":")
        let body: [String: JSONTree] = [
            "invoice_id": .string(subject.invoiceID), "customer_id": .string(subject.customerID),
            "slot": .string(subject.slot), "stripe_invoice_id": .string(found.invoice.id),
            "amount_minor": .integer(found.amountRemaining),
            "currency": .string(found.invoice.currency),
            "attempt_count": .integer(Int64(attempt ?? found.attemptCount)), "next": .string(next),
        ]
        return Alert(
            key: key, kind: kind, severity: severity, subject: subject.invoiceID,
            body: JSONTree.object(body).text)
    }

    /// A second invoice at Stripe for one of ours: a customer may pay twice.
    static func stray(_ found: StripeInvoice, _ subject: WebhookSubject) -> Alert {
        Alert(
            key: "second_invoice:\(found.id)", kind: "second_invoice", severity: .critical,
            subject: subject.invoiceID,
            body: JSONTree.object([
                "invoice_id": .string(subject.invoiceID),
                "customer_id": .string(subject.customerID),
                "stripe_invoice_id": .string(found.id),
                "next": .string("look at it in Stripe's dashboard, and void it if it is not paid"),
            ]).text)
    }

    static func deadLetter(_ event: String, reason: String) -> Alert {
        Alert(
            key: "webhook_dead_letter:\(event)", kind: "webhook_dead_letter", severity: .critical,
            subject: event,
            body: JSONTree.object([
                "event_id": .string(event), "reason": .string(reason),
                "next": .string(
                    "jobs webhooks show \(event); when it is mended: jobs webhooks replay \(event)"),
            ]).text)
    }
}
