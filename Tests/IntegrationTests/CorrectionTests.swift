import Foundation
import StripeSimulation
import TestSupport
import Testing

/// `jobs invoices propose`, `approve` and `reject`: late usage of a month that was sent.
struct CorrectionTests {
    private struct Listed: Decodable, Equatable {
        let proposalID: Int64
        let customerID: String
        let kind: String
        let amountMinor: Int64

        enum CodingKeys: String, CodingKey {
            case kind
            case proposalID = "proposal_id"
            case customerID = "customer_id"
            case amountMinor = "amount_minor"
        }
    }

    private func propose(
        _ scene: SubmittedStack, status: Int32, _ options: String...
    ) async throws -> [Listed] {
        let result = try await scene.stack.jobs(
            ["invoices", "propose", "--slot", "2015-05", "--format", "json"] + options,
            with: scene.settings([:]))
        #expect(result.status == status, "\(result.errors)")
        return try result.output.split(separator: "\n").map {
            try JSONDecoder().decode(Listed.self, from: Data($0.utf8))
        }
    }

    private func jobs(_ scene: SubmittedStack, _ arguments: String...) async throws
        -> JobsProcess.Result
    {
        try await scene.stack.jobs(arguments, with: scene.settings([:]))
    }

    /// A launch by the timer, with no month that is due.
    private func resume(_ scene: SubmittedStack) async throws {
        let result = try await scene.stack.jobs(
            ["run", "bill"], with: scene.settings(["BILLING_FIRST_SLOT": "2999-01"]))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    private func expectNoUsageDrift(_ scene: SubmittedStack) async throws {
        let result = try await jobs(
            scene, "run", "reconcile", "--slot", "2015-06-20", "--month", "2015-05", "--format",
            "json")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test func `late usage is one more invoice once somebody approves, sent once, and verified`()
        async throws
    {
        try await withSubmittedStack { scene in
            #expect(try await scene.bill().status == 0)
            #expect(try await propose(scene, status: 0) == [])
            try await scene.stack.importEvents([stored("12.5", of: "ann", id: "late")])
            let before = try await scene.effects()
            let proposed = try await propose(scene, status: 1)
            #expect(proposed.map(\.customerID) == ["ann"])
            #expect(proposed.map(\.kind) == ["supplementary"] && proposed[0].amountMinor == 250)
            // The same again is the same proposal; more usage is another one.
            #expect(try await propose(scene, status: 1) == proposed)
            #expect(try await propose(scene, status: 0, "--customer", "bob") == [])
            try await scene.stack.importEvents([stored("15", of: "ann", id: "later")])
            let more = try await propose(scene, status: 1, "--customer", "ann")
            #expect(more.map(\.amountMinor) == [500] && more != proposed)
            let stale = try await jobs(
                scene, "invoices", "approve", "\(proposed[0].proposalID)", "--reason", "x")
            #expect(stale.status == 65 && stale.errors.contains("was decided already"))
            #expect(try await scene.effects() == before)

            let id = "\(more[0].proposalID)"
            let approved = try await jobs(scene, "invoices", "approve", id, "--reason", "agreed")
            #expect(
                approved.status == 0 && approved.output.hasPrefix("approved; the next jobs run"))
            #expect(try await jobs(scene, "invoices", "reject", id, "--reason", "no").status == 65)
            let again = try await jobs(scene, "invoices", "approve", id, "--reason", "twice")
            #expect(again.status == 65 && again.errors.contains("was decided already"))
            #expect(try await scene.effects() == before)
            try await resume(scene)
            try await resume(scene)
            #expect(try await scene.bill().status == 0)
            let effects = try await scene.effects(of: "ann")
            #expect(effects["finalized"] == 2 && effects["sent"] == 2)
            let totals: String = try await scene.stack.value(
                """
                SELECT string_agg(concat_ws(' ', kind, total_minor, status), ', ' ORDER BY kind) AS value
                FROM invoices WHERE customer_id = 'ann'
                """)
            #expect(totals == "regular 1000 open, supplementary 500 open")
            let verified = try await jobs(scene, "invoices", "verify", "--slot", "2015-05")
            #expect(verified.status == 0 && verified.output == "3 verified: 0 differ\n")
            try await expectNoUsageDrift(scene)
            #expect(try await propose(scene, status: 0) == [])
        }
    }

    @Test func `what was rejected is told no more, and what comes after it is`() async throws {
        try await withSubmittedStack { scene in
            #expect(try await scene.bill().status == 0)
            try await scene.stack.importEvents([stored("12.5", of: "ann", id: "late")])
            let id = try await propose(scene, status: 1)[0].proposalID
            let rejected = try await jobs(
                scene, "invoices", "reject", "\(id)", "--reason", "our own fault")
            #expect(rejected.status == 0)
            #expect(try await propose(scene, status: 0) == [])
            try await expectNoUsageDrift(scene)
            // Less than Stripe charges: the next invoice has it.
            try await scene.stack.importEvents([stored("12.8", of: "ann", id: "later")])
            let small = try await propose(scene, status: 1)
            #expect(small.map(\.amountMinor) == [30])
            let approved = try await jobs(
                scene, "invoices", "approve", "\(small[0].proposalID)", "--reason", "agreed")
            #expect(approved.output.contains("the customer's next invoice has it"))
            try await resume(scene)
            #expect(try await scene.effects(of: "ann")["finalized"] == 1)
            let owed: String = try await scene.stack.value(
                "SELECT concat_ws(' ', slot, kind, amount_minor) AS value FROM balance_entries")
            #expect(owed == "2015-05 carried 30")
            #expect(try await propose(scene, status: 0) == [])
        }
    }

    @Test func `nothing is approved of an invoice that was voided meanwhile`() async throws {
        try await withSubmittedStack { scene in
            #expect(try await scene.bill().status == 0)
            try await scene.stack.importEvents([stored("12.5", of: "ann", id: "late")])
            let id = try await propose(scene, status: 1)[0].proposalID
            let invoice = try await scene.stack.invoice(of: "ann", "2015-05")
            let stripeID: String = try await scene.stack.value(
                "SELECT stripe_invoice_id AS value FROM invoices WHERE customer_id = 'ann'")
            #expect(
                try await scene.stripe.send("POST", "/v1/invoices/\(stripeID)/void", "").status
                    == 200)
            #expect(try await jobs(scene, "run", "process-webhooks").status == 0)
            let refused = try await jobs(
                scene, "invoices", "approve", "\(id)", "--reason", "agreed")
            #expect(refused.status == 65)
            #expect(refused.errors.contains("\(invoice.invoiceID) is void by now"))
            #expect(try await propose(scene, status: 0) == [])
        }
    }

    @Test func `what was charged too much is given back once`() async throws {
        try await withSubmittedStack { scene in
            #expect(try await scene.bill().status == 0)
            #expect(try await jobs(scene, "run", "process-webhooks").status == 0)
            try await scene.stack.clickHouse(
                """
                ALTER TABLE usage_daily_1 UPDATE quantity = quantity * 0.75 WHERE true
                SETTINGS mutations_sync = 1
                """)
            let proposed = try await propose(scene, status: 1)
            #expect(proposed.map(\.kind) == ["credit_note", "credit_note"])
            #expect(proposed.map(\.amountMinor) == [250, 500])
            for proposal in proposed {
                let approved = try await jobs(
                    scene, "invoices", "approve", "\(proposal.proposalID)", "--reason", "agreed")
                #expect(approved.status == 0, "\(approved.errors)")
            }
            let lost = #"{"kind": "answer_lost"}"#
            try await scene.setFault("/v1/credit_notes", lost)
            try await resume(scene)
            try await resume(scene)
            #expect(try await scene.effects()["credit_notes_created"] == 2)
            #expect(try await propose(scene, status: 0) == [])
            let shown = try await jobs(
                scene, "invoices", "show",
                try await scene.stack.invoice(of: "ann", "2015-05").invoiceID)
            #expect(shown.output.contains("credit_note_made  open  proposal"))
        }
    }
}
