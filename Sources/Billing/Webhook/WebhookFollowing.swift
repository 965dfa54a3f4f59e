internal import Exact
internal import Ledger

/// What follows from an event.
extension WebhookProcessor {
    func follow(_ taken: TakenEvent) async throws {
        let event: WebhookEvent
        do {
            event = try WebhookEvent(Array(taken.payload.utf8))
        } catch {
            throw Obstacle.contradiction("it cannot be read")
        }
        guard event.isLive == settings.isLive else {
            throw Obstacle.foreign("it is of \(event.isLive ? "live" : "test") mode")
        }
        guard event.account == nil || event.account == settings.accountID else {
            throw Obstacle.foreign("it is of the account \(event.account ?? "")")
        }
        guard WebhookTypes.all.contains(event.type) else {
            throw Obstacle.ignored("nothing follows from \(event.type)")
        }
        let stripeID = try await stripeInvoiceID(of: event)
        let invoiceID = try await invoiceID(of: event, stripeID)
        guard let claim = try await submissions.claim(invoiceID) else {
            throw Obstacle.later(Self.busySeconds, "another process works on its invoice")
        }
        do {
            try await follow(event, taken, stripeID, claim)
        } catch {
            // A task that was cancelled writes nothing any more, so another one gives the claim back. Who lost
            // it has nothing to give back; one that is not given back runs out.
            try? await Task.detached { [submissions] in
                try await submissions.release(claim)
            }.value
            throw error
        }
    }

    // MARK: Whose event

    /// Stripe's id of the invoice that an event is about.
    private func stripeInvoiceID(of event: WebhookEvent) async throws -> String {
        guard let id = event.object.id else { throw Obstacle.foreign("it names no object") }
        if WebhookTypes.invoice.contains(event.type) { return id }
        var object = event.object
        if object.invoice == nil, object.paymentIntent == nil {
            // A thin event: the object says what it belongs to.
            object = try await ask("/v1/\(Self.collection(of: event.type))/\(id)") ?? object
        }
        if let invoice = object.invoice { return invoice }
        guard let payment = object.paymentIntent else {
            throw Obstacle.foreign("it is of no payment of an invoice")
        }
        let found: StripeList<StripeInvoicePayment> = try await client.ask(
            .get(
                "/v1/invoice_payments",
                ["payment[type]": "payment_intent", "payment[payment_intent]": payment]))
        guard let invoice = found.data.first?.invoice else {
            throw Obstacle.foreign("its payment is of no invoice")
        }
        return invoice
    }

    private static func collection(of type: String) -> String {
        if type.hasPrefix("credit_note.") { return "credit_notes" }
        if type.hasPrefix("charge.dispute.") { return "disputes" }
        return type == "charge.refunded" ? "charges" : "refunds"
    }

    /// Our id of the invoice. Stripe may tell of an invoice before we have written down its id there.
    private func invoiceID(of event: WebhookEvent, _ stripeID: String) async throws -> String {
        if let known = try await store.invoice(stripeID: stripeID, ourID: nil) { return known.id }
        let isInvoice = event.object.id == stripeID
        var metadata = isInvoice ? event.object.metadata : nil
        if metadata == nil || metadata?[StripeMetadata.ledger] == requests.ledgerID {
            metadata = try await read(stripeID)?.invoice.metadata ?? metadata
        }
        guard let metadata, metadata[StripeMetadata.ledger] == requests.ledgerID else {
            throw Obstacle.foreign("its invoice is not one of this ledger")
        }
        guard let ourID = metadata[StripeMetadata.invoice],
            let known = try await store.invoice(stripeID: stripeID, ourID: ourID)
        else {
            throw Obstacle.contradiction("its invoice is of this ledger, which does not know it")
        }
        return known.id
    }

    // MARK: Under the claim

    private func follow(
        _ event: WebhookEvent, _ taken: TakenEvent, _ stripeID: String, _ claim: InvoiceClaim
    ) async throws {
        let subject = try await store.subject(claim)
        guard subject.isBegun else {
            throw Obstacle.contradiction(
                "Stripe has the invoice, and the ledger has not begun it: the next billing run takes it up"
            )
        }
        var state = try await submissions.state(claim)
        guard let found = try await read(stripeID) else {
            return try await store.apply(
                taken, claim, status: state.status, standing: subject.standing,
                entry: (event.type, "\(event.id): Stripe does not have \(stripeID) any more"),
                alerts: WebhookAlerts.noSecond(stripeID))
        }
        if try await heal(found.invoice, &state, claim) {
            state = try await submissions.state(claim)
        }
        guard state.stripeInvoiceID == stripeID else {
            let isHarmless = found.invoice.status == .draft || found.invoice.status == .void
            return try await store.apply(
                taken, claim, status: state.status, standing: subject.standing,
                entry: (event.type, "\(event.id): about \(stripeID), which is not the ledger's"),
                alerts: isHarmless
                    ? WebhookAlerts.noSecond(stripeID) : WebhookAlerts.second(found, subject))
        }
        var standing = subject.standing
        standing.credited = found.credited
        switch found.invoice.status {
        case .open where event.type == "invoice.overdue": standing.isOverdue = true
        // Nobody waits for its money any more, whichever of the events is worked on last.
        case .paid, .void, .uncollectible: standing.isOverdue = false
        default: break
        }
        var disputes: [StripeDispute] = []
        if WebhookTypes.payment.contains(event.type) {
            let refunds: [StripeRefund]
            (refunds, disputes) = try await payments(of: stripeID)
            standing.refunded = refunds.filter { !["failed", "canceled"].contains($0.status) }
                .reduce(0) { $0 + $1.amount }
            standing.dispute = Self.dispute(disputes)
        }
        let status = Self.status(after: state.status, found.invoice.status, event.type)
        let alerts = WebhookAlerts(
            event: event, subject: subject, found: found, disputes: disputes, before: state.status,
            after: status
        ).changes
        try await store.apply(
            taken, claim, status: status, standing: standing,
            entry: (event.type, "\(event.id): \(found.invoice.status.rawValue) at Stripe"),
            alerts: alerts)
    }

    /// Where an invoice goes that Stripe has in `found`: forward only, by the table of legal moves.
    static func status(
        after current: InvoiceStatus, _ found: StripeInvoice.Status, _ type: String
    ) -> InvoiceStatus {
        let target: InvoiceStatus =
            switch found {
            case .paid: .paid
            case .void: .void
            case .uncollectible: .uncollectible
            // Stripe has no status for it.
            case .open where type == "invoice.payment_failed": .paymentFailed
            case .open, .draft: current
            }
        return current.next.contains(target) ? target : current
    }

    static func dispute(_ disputes: [StripeDispute]) -> InvoiceStanding.Dispute? {
        let standings = disputes.map(\.standing)
        if standings.contains(.open) { return .open }
        return standings.contains(.lost) ? .lost : standings.first
    }

    /// Takes up an invoice that is finalized at Stripe and whose submission does not know that: the process
    /// died between Stripe's answer and writing it down.
    ///
    /// - Returns: whether anything was done.
    private func heal(
        _ found: StripeInvoice, _ state: inout SubmissionState, _ claim: InvoiceClaim
    ) async throws -> Bool {
        let isConfirmed = state.recoveryPoint == .finalized || state.recoveryPoint == .collected
        let isOurs = state.stripeInvoiceID == nil || state.stripeInvoiceID == found.id
        guard !isConfirmed, isOurs, found.status != .draft, state.standingHold == nil else {
            return false
        }
        guard settings.heals else {
            throw Obstacle.later(
                60, "its submission was interrupted, and goes on with the next billing run")
        }
        var submission = InvoiceSubmission(
            invoice: try await invoices.invoice(claim.invoiceID), claim: claim, store: submissions,
            client: client, requests: requests, isLive: settings.isLive, state: state,
            stored: try await submissions.requests(of: claim.invoiceID), isSuspect: false)
        do {
            if state.stripeInvoiceID == nil {
                _ = try await submission.adopt()
            } else {
                try await submission.confirm(found)
            }
        } catch is InvoiceSubmission.Stop {
            // It is held, or given up, and its journal says why.
        }
        return true
    }

    // MARK: Stripe

    private func read(_ id: String) async throws -> StripeStanding? {
        try await ask("/v1/invoices/\(id)")
    }

    private func ask<Object: Decodable>(_ path: String) async throws -> Object? {
        do {
            return try await client.ask(.get(path), as: Object.self)
        } catch let error as StripeError where error.isMissing {
            return nil
        }
    }

    private func payments(
        of invoice: String
    ) async throws -> (refunds: [StripeRefund], disputes: [StripeDispute]) {
        var (refunds, disputes): ([StripeRefund], [StripeDispute]) = ([], [])
        var payments: [String] = []
        try await client.list(
            "/v1/invoice_payments", ["invoice": invoice], id: \StripeInvoicePayment.id
        ) { payments += $0.compactMap(\.payment.paymentIntent) }
        for payment in payments {
            let filter: StripeForm = ["payment_intent": payment]
            try await client.list("/v1/refunds", filter, id: \StripeRefund.id) { refunds += $0 }
            try await client.list("/v1/disputes", filter, id: \StripeDispute.id) { disputes += $0 }
        }
        return (refunds, disputes)
    }
}
