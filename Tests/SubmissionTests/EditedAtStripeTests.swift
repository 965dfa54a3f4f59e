import Billing
import Ledger
import Postgres
import StripeSimulation
import Testing

/// What people do at Stripe while an invoice is on its way.
struct EditedAtStripeTests {
    /// Runs until the invoice is a verified draft.
    private static func withDraft(
        _ body: (Scene, TestLedger.Planned, String) async throws -> Void
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/finalize", times: 4,
                    Fault(.resetBefore))
            ])
            #expect(try await scene.run([ann]).deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            let draft = try #require(scene.invoices(of: ann).first?["id"] as? String)
            try await body(scene, ann, draft)
        }
    }

    @Test func `a line that somebody adds to a draft is noticed before anything is mailed`()
        async throws
    {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe(
                "POST", "/v1/invoices/\(draft)/add_lines",
                "lines[0][amount]=99&lines[0][description]=extra")
            let summary = try await scene.run([ann])
            #expect(summary.held.first?.reason.hasPrefix("voided: it was finalized, but") == true)
            #expect(scene.invoices(of: ann).map { $0["status"] as? String } == ["void"])
            #expect(scene.simulator.effects.total[.sent] == 0)
            // Held means held.
            #expect(try await scene.run([ann]).count == 0)
        }
    }

    @Test func `a draft that somebody deletes is made anew`() async throws {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe("DELETE", "/v1/invoices/\(draft)")
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `a draft that somebody finalizes is taken as it is`() async throws {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe("POST", "/v1/invoices/\(draft)/finalize")
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `an invoice that somebody voids is held, and not made again`() async throws {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe("POST", "/v1/invoices/\(draft)/finalize")
            scene.stripe("POST", "/v1/invoices/\(draft)/void")
            let summary = try await scene.run([ann])
            #expect(summary.held.first?.reason.hasPrefix("void_at_stripe") == true)
            #expect(scene.invoices(of: ann).count == 1)
        }
    }

    @Test
    func `a deleted customer is a dead letter that says so, and goes on when the cause is mended`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.stripe("DELETE", "/v1/customers/\(ann.stripeCustomerID ?? "")")
            let summary = try await scene.run([ann])
            #expect(summary.deadLetters.first?.reason.contains("No such customer") == true)
            #expect(try await scene.run([ann]).count == 0)

            let other = scene.stripe("POST", "/v1/customers", "email=ann%40example.com")
            try await ledger.pool.query(
                "INSERT INTO customers (customer_id, stripe_customer_id) VALUES ('ann', $1)",
                [other["id"] as? String])
            let letters = DeadLetterStore(pool: ledger.pool)
            #expect(try await letters.retry(nil, by: "finance").map(\.subjectID) == ["inv_ann"])
            #expect(try await scene.run([ann]).collected == 1)
            var renamed = ann
            renamed.stripeCustomerID = other["id"] as? String
            try await scene.expectExactlyOnce(renamed)
        }
    }
}
