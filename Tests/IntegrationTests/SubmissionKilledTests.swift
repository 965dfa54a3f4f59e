import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// The built program, killed by SIGKILL around every request to Stripe and every write of its ledger.
struct SubmissionKilledTests {
    /// Where the program is when it is killed.
    enum Moment: String, CaseIterable {
        /// The request is stored, and never arrives.
        case beforeTheRequest
        /// Stripe did it, and the answer is on its way.
        case beforeTheAnswer
        /// The answer is there, and about to be written down.
        case beforeTheWrite
    }

    enum Step: String, CaseIterable {
        case create = "/v1/invoices"
        case addLines = "/v1/invoices/{invoice}/add_lines"
        case finalize = "/v1/invoices/{invoice}/finalize"
        /// Ann's last one.
        case send = "/v1/invoices/{invoice}/send"
        /// Bob's last one.
        case collect = "/v1/invoices/{invoice}"
    }

    @Test(arguments: Step.allCases, Moment.allCases)
    func `whoever is killed, each customer is invoiced once`(
        step: Step, moment: Moment
    ) async throws {
        try await withSubmittedStack { scene in
            let fault =
                switch moment {
                case .beforeTheRequest: #"{"kind": "stall", "milliseconds": 60000}"#
                case .beforeTheAnswer: #"{"kind": "latency", "milliseconds": 60000}"#
                case .beforeTheWrite: #"{"kind": "latency", "milliseconds": 5000}"#
                }
            try await scene.setFault(step.rawValue, fault)
            // One at a time, so that nothing else is under way.
            let process = try scene.start(with: ["BILLING_CONCURRENCY": "1"])
            if moment == .beforeTheWrite {
                try await scene.stack.postgres.withConnection { holder in
                    try await scene.untilFaultIsMet()
                    try await holder.query("BEGIN")
                    try await holder.query("LOCK TABLE invoice_events IN ACCESS EXCLUSIVE MODE")
                    try await scene.stack.untilRunWaits(on: "invoice_events")
                    process.kill()
                    _ = try await process.result()
                    try await holder.query("ROLLBACK")
                }
            } else {
                try await scene.untilFaultIsMet()
                process.kill()
                _ = try await process.result()
            }
            #expect(try await scene.stripe.send("DELETE", "/_sim/faults").status == 200)
            try await scene.letClaimsRunOut()
            let resumed = try await scene.bill()
            #expect(resumed.status == 0, "\(resumed.output)\(resumed.errors)")
            try await scene.expectExactlyOnce()
        }
    }

    @Test func `the second run of a month sends nothing, and says so`() async throws {
        try await withSubmittedStack { scene in
            #expect(try await scene.bill().status == 0)
            let before = try await scene.stripe.send("GET", "/_sim/effects").json
            let second = try await scene.bill()
            #expect(second.status == 0)
            #expect(second.output.contains("sent      0"))
            #expect(second.output.contains("in all    2"))
            #expect(try await scene.stripe.send("GET", "/_sim/effects").json == before)
            try await scene.expectExactlyOnce()
            let verified = try await scene.stack.done("invoices", "verify", "--slot", "2015-05")
            #expect(verified.hasSuffix("2 verified: 0 differ\n"))
        }
    }

    @Test func `two runs on two machines send each invoice once`() async throws {
        try await withSubmittedStack { scene in
            try await scene.setFault("/v1/invoices", #"{"kind": "latency", "milliseconds": 1000}"#)
            let first = try scene.start()
            try await scene.untilFaultIsMet()
            let second = try await scene.bill()
            #expect([0, 1, 75].contains(second.status), "\(second.errors)")
            #expect(try await first.result().status == 0)
            try await scene.expectExactlyOnce()
        }
    }

    @Test func `a pause stops a run that is at work, and nothing is lost`() async throws {
        try await withSubmittedStack { scene in
            try await scene.setFault("/v1/invoices", #"{"kind": "latency", "milliseconds": 10000}"#)
            let run = try scene.start(with: ["BILLING_CONCURRENCY": "1"])
            try await scene.untilFaultIsMet()
            try await scene.stack.done("billing", "pause", "--reason", "freeze")
            let paused = try await run.result()
            #expect(paused.status == 77, "\(paused.output)\(paused.errors)")
            #expect(paused.errors.contains("jobs billing resume"))
            try await scene.stack.done("billing", "resume")
            #expect(try await scene.bill().status == 0)
            try await scene.expectExactlyOnce()
        }
    }

    @Test func `settings that would bill wrongly are refused before anything is sent`()
        async throws
    {
        try await withSubmittedStack { scene in
            for (name, value, status) in [
                ("BILLING_FIRST_SLOT", nil, 78), ("BILLING_FIRST_SLOT", "2015-06", 77),
                ("STRIPE_API_KEY", nil, 78), ("STRIPE_API_KEY", "sk_live_x", 77),
                ("STRIPE_API_KEY", "sk_test_other", 78), ("STRIPE_API_KEY", "pk", 78),
                ("STRIPE_API_BASE", "http://stripe.example.com", 78),
                ("STRIPE_API_BASE", "http://127.0.0.1:1", 69),
            ] as [(String, String?, Int32)] {
                let result = try await scene.bill(with: [name: value, "STRIPE_MAX_ATTEMPTS": "1"])
                #expect(result.status == status, "\(name) \(value ?? "-"): \(result.errors)")
            }
            #expect(try await scene.effects(of: "ann")["invoices_created"] == nil)
        }
    }
}

extension SubmittedStack {
    /// Ann was mailed once and Bob charged once, for what they used; nothing else is at Stripe.
    func expectExactlyOnce(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for (name, total) in [("ann", 1_000), ("bob", 2_000)] {
            let effects = try await effects(of: name)
            #expect(
                effects["finalized"] == 1, "\(name): \(effects)", sourceLocation: sourceLocation)
            #expect(
                effects[name == "ann" ? "sent" : "charges"] == 1, "\(name): \(effects)",
                sourceLocation: sourceLocation)
            let list = try await stripe.send(
                "GET", "/v1/invoices?customer=\(customers[name] ?? "")&limit=100"
            ).json["data"]?.elements
            #expect(
                list?.map { $0["total"]?.integer } == [total],
                "\(name): \(list?.count ?? -1) invoices",
                sourceLocation: sourceLocation)
        }
    }
}
