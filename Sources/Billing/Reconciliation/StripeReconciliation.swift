package import Exact
package import Ledger

/// The ledger's invoices beside Stripe's, both ways.
package struct StripeReconciliation: Sendable {
    package struct Result: Sendable {
        package var drifts: [Drift] = []
        package var compared = 0
        /// Not compared: a run is still at work on them, or will be.
        package var unfinished = 0
    }

    private let client: StripeClient
    private let invoices: InvoiceStore
    private let events: WebhookStore
    private let ledgerID: String
    private let isLive: Bool
    /// The slot of the run: what is healed today is tried once today.
    private let day: String
    private let follow: (@Sendable (_ isAgain: Bool) async throws -> Void)?

    /// How often the inbox is worked on until what is in it is followed.
    private static let rounds = 5

    /// - Parameter follow: works on all that is due in the inbox; again, after a moment, if another process
    ///   has taken what was put there. `nil`: nothing is mended.
    package init(
        client: StripeClient, invoices: InvoiceStore, events: WebhookStore, ledgerID: String,
        isLive: Bool, day: String,
        follow: (@Sendable (_ isAgain: Bool) async throws -> Void)?
    ) {
        self.client = client
        self.invoices = invoices
        self.events = events
        self.ledgerID = ledgerID
        self.isLive = isLive
        self.day = day
        self.follow = follow
    }

    /// - Parameter months: those of which anything was sent, the earliest first.
    package func run(_ months: [CivilMonth]) async throws -> Result {
        var result = Result()
        guard let first = months.first else { return result }
        let slots = Set(months.map(String.init(describing:)))
        var seen: Set<String> = []
        // Nothing of a month is sent before it has ended somewhere; a day for clocks that disagree.
        let since = Int64(first.next.firstDay.daysSinceEpoch - 2) * 86_400
        try await client.list(
            "/v1/invoices", ["created[gte]": String(since)], id: \StripeInvoice.id
        ) { page in
            let ours = page.filter {
                $0.metadata[StripeMetadata.ledger] == ledgerID
                    && slots.contains($0.metadata[StripeMetadata.slot] ?? "")
            }
            seen.formUnion(ours.map(\.id))
            try await compare(ours, &result)
        }
        for month in months {
            for (stripeID, id) in try await invoices.atStripe(month) where !seen.contains(stripeID)
            {
                if let found = try await read(stripeID) {
                    try await compare([found], &result)
                } else if let invoice = try await invoices.invoices([id]).first,
                    invoice.stripeInvoiceID == stripeID
                {
                    result.compared += 1
                    result.drifts.append(
                        drift(
                            .missing, invoice, stripeID, invoice.totalMinor, 0,
                            "Stripe does not have it"))
                }
            }
        }
        try await followStatuses(&result)
        result.drifts.sort {
            ($0.slot, $0.customerID ?? "", $0.stripeInvoiceID ?? "", $0.cause.rawValue)
                < ($1.slot, $1.customerID ?? "", $1.stripeInvoiceID ?? "", $1.cause.rawValue)
        }
        return result
    }

    private func compare(_ page: [StripeInvoice], _ result: inout Result) async throws {
        let known = try await known(page)
        for found in page {
            var drifts = try await drifts(found, known[ourID(found)], &result)
            if !drifts.isEmpty {
                // It may have moved on between one answer and the other: what is told was seen twice.
                guard let again = try await read(found.id) else { continue }
                let known = try await self.known([again])
                var ignored = Result()
                drifts = try await self.drifts(again, known[ourID(again)], &ignored)
            }
            for var drift in drifts {
                drift.isHealed = try await heal(drift)
                result.drifts.append(drift)
            }
        }
    }

    private func drifts(
        _ found: StripeInvoice, _ invoice: Invoice?, _ result: inout Result
    ) async throws -> [Drift] {
        guard let invoice else {
            guard found.status != .void else { return [] }
            return [
                drift(
                    found.status == .draft ? .strayDraft : .extra, nil, found.id, 0,
                    found.subtotal, "the ledger has no invoice \(ourID(found))", found)
            ]
        }
        guard invoice.stripeInvoiceID == found.id else {
            return stray(found, invoice, &result)
        }
        guard invoice.status != InvoiceStatus.submitting.rawValue else {
            result.unfinished += 1
            return []
        }
        result.compared += 1
        return InvoiceComparison(
            invoice: invoice, found: found, lines: try await client.lines(of: found)
        ).drifts
    }

    /// An invoice of Stripe's that is not the one its invoice goes by.
    private func stray(
        _ found: StripeInvoice, _ invoice: Invoice, _ result: inout Result
    ) -> [Drift] {
        switch found.status {
        case .void: return []
        case .draft where invoice.stripeInvoiceID == nil:
            // The next run takes it up, or clears it away.
            result.unfinished += 1
            return []
        case .draft:
            return [
                drift(
                    .strayDraft, invoice, found.id, 0, found.subtotal,
                    "the invoice goes by \(invoice.stripeInvoiceID ?? "-")")
            ]
        default:
            let goesBy = invoice.stripeInvoiceID
            return [
                drift(
                    goesBy == nil ? .extra : .duplicate, invoice, found.id, 0, found.subtotal,
                    goesBy.map { "the invoice goes by \($0)" }
                        ?? "the ledger does not know it to be at Stripe; the next run of bill takes it up"
                )
            ]
        }
    }

    // MARK: Healing

    /// Only what changes nothing that anybody was told.
    ///
    /// - Returns: whether it is mended; a status is when the inbox has been worked on.
    private func heal(_ drift: Drift) async throws -> Bool {
        guard follow != nil, let stripeID = drift.stripeInvoiceID else { return false }
        switch drift.cause {
        case .strayDraft where drift.invoiceID != nil:
            struct Deleted: Decodable {}
            do {
                _ = try await client.ask(.delete("/v1/invoices/\(stripeID)"), as: Deleted.self)
                return true
            } catch let error as StripeError where error.isMissing || error.kind == .refused {
                return error.isMissing
            }
        case .status:
            // As if Stripe had told us: the invoice is read again under its claim, and moved forward.
            let id = "reconcile_\(day)_\(stripeID)"
            let payload = """
                {"id":"\(id)","object":"event","type":"invoice.updated","livemode":\(isLive),\
                "data":{"object":{"id":"\(stripeID)","object":"invoice"}}}
                """
            try await events.insert(
                [try ReceivedEvent(payload: Array(payload.utf8))], from: .reconcile)
            return false
        default: return false
        }
    }

    /// Has invoices read again whose status differs. What still differs then needs a person.
    private func followStatuses(_ result: inout Result) async throws {
        guard let follow else { return }
        var open = result.drifts.indices.filter { result.drifts[$0].cause == .status }
        for round in 0..<Self.rounds where !open.isEmpty {
            try await follow(round > 0)
            var left: [Int] = []
            for index in open {
                result.drifts[index].isHealed = try await isFollowed(result.drifts[index])
                if !result.drifts[index].isHealed { left.append(index) }
            }
            open = left
        }
    }

    private func isFollowed(_ drift: Drift) async throws -> Bool {
        guard let stripeID = drift.stripeInvoiceID, let found = try await read(stripeID),
            let invoice = try await known([found])[ourID(found)]
        else { return false }
        return InvoiceComparison(invoice: invoice, found: found, lines: []).statusDrift == nil
    }

    // MARK: Reading

    private func known(_ page: [StripeInvoice]) async throws -> [String: Invoice] {
        guard !page.isEmpty else { return [:] }
        let invoices = try await invoices.invoices(page.map(ourID))
        return Dictionary(uniqueKeysWithValues: invoices.map { ($0.invoiceID, $0) })
    }

    private func ourID(_ found: StripeInvoice) -> String {
        found.metadata[StripeMetadata.invoice] ?? ""
    }

    private func read(_ id: String) async throws -> StripeInvoice? {
        do {
            return try await client.ask(.get("/v1/invoices/\(id)"))
        } catch let error as StripeError where error.isMissing {
            return nil
        }
    }

    private func drift(
        _ cause: Drift.Cause, _ invoice: Invoice?, _ stripeID: String, _ ledger: Int64,
        _ stripe: Int64, _ detail: String, _ found: StripeInvoice? = nil
    ) -> Drift {
        Drift(
            slot: invoice?.slot ?? found?.metadata[StripeMetadata.slot] ?? "", side: .stripe,
            cause: cause, invoiceID: invoice?.invoiceID,
            customerID: invoice?.customerID ?? found?.metadata[StripeMetadata.customer],
            stripeInvoiceID: stripeID,
            currency: invoice?.currency ?? found.flatMap { Currency($0.currency) },
            ledgerMinor: ledger, otherMinor: stripe, detail: detail)
    }
}
