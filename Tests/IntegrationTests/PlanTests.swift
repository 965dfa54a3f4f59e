import Foundation
import Postgres
import TestSupport
import Testing

/// What was looked at is what is sent, or nothing is.
struct PlanTests {
    private static func withPlan(
        _ body: (SubmittedStack, _ plan: String) async throws -> Void
    ) async throws {
        try await withSubmittedStack { scene in
            let plan = "\(scene.stack.folder)/plan.jsonl"
            let dry = try await scene.run("--slot", "2015-05", "--dry-run", "--requests", plan)
            #expect(dry.status == 0, "\(dry.errors)")
            try await body(scene, plan)
        }
    }

    @Test func `a plan is sent once, and the second time nothing is left to do`() async throws {
        try await Self.withPlan { scene, plan in
            let first = try await scene.run("--plan", plan)
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output.contains("2 invoices: 2 to send, 0 begun before"))
            try await scene.expectExactlyOnce()
            let second = try await scene.run("--plan", plan)
            #expect(second.status == 0, "\(second.errors)")
            #expect(second.output.contains("2 invoices: 0 to send, 2 begun before"))
            try await scene.expectExactlyOnce()
        }
    }

    @Test func `usage that comes later is no change, and is not sent`() async throws {
        try await Self.withPlan { scene, plan in
            try await scene.stack.importEvents([stored("99", of: "ann", id: "late")])
            try await scene.stack.done("run", "seal-usage")
            #expect(try await scene.run("--plan", plan).status == 0)
            try await scene.expectExactlyOnce()
        }
    }

    @Test func `an edited plan is bad input, and nothing is sent`() async throws {
        try await Self.withPlan { scene, plan in
            let text = try String(contentsOfFile: plan, encoding: .utf8)
            let edited = try scene.stack.file(
                "edited.jsonl", text.replacing("[amount]=1000", with: "[amount]=9000"))
            let result = try await scene.run("--plan", edited)
            #expect(result.status == 65 && result.errors.contains("was edited"), "\(result.errors)")
            let other = try await scene.run("--plan", try scene.stack.file("other", "{}\n"))
            #expect(other.status == 65 && other.errors.contains("is no plan"))
            #expect(try await scene.effects(of: "ann")["invoices_created"] == nil)
        }
    }

    /// What is changed, and what the refusal names.
    enum Change: String, CaseIterable {
        case terms = "ann"
        case account = "acct_other"
        case catalog = "catalog simple"
        case age = "longer ago than 1h"
    }

    @Test(arguments: Change.allCases)
    func `a plan whose inputs have changed is refused by name, and nothing is sent`(
        change: Change
    ) async throws {
        try await Self.withPlan { scene, plan in
            var plan = plan
            var options: [String] = []
            switch change {
            case .terms:
                try await scene.stack.importCustomers(
                    "customer_id,stripe_customer_id,plan,currency\nann,\(scene.customers["ann"] ?? ""),premium,usd\n",
                    "--effective-from", "2015-05-01")
            case .account:
                try await scene.stack.postgres.query(
                    "INSERT INTO stripe_account (account_id, livemode) VALUES ('acct_other', false)"
                )
            case .catalog:
                let text = try String(contentsOfFile: plan, encoding: .utf8)
                let start = try #require(text.range(of: "\"catalog_sha256\":\""))
                plan = try scene.stack.file(
                    "other.jsonl",
                    text.replacingCharacters(in: start, with: "\"catalog_sha256\":\"0"))
            case .age:
                options = ["--max-plan-age", "1h"]
                try await scene.stack.postgres.query(
                    "ALTER TABLE usage_batches DISABLE TRIGGER USER")
                try await scene.stack.postgres.query(
                    "UPDATE usage_batches SET sealed_at = sealed_at - interval '2 hours'")
            }
            let result = try await scene.run(["--plan", plan] + options)
            #expect(result.status == 77, "\(result.errors)")
            #expect(result.errors.contains(change.rawValue), "\(result.errors)")
            #expect(try await scene.effects(of: "ann")["invoices_created"] == nil)
        }
    }
}

extension SubmittedStack {
    func run(_ options: String...) async throws -> JobsProcess.Result {
        try await run(options)
    }

    func run(_ options: [String]) async throws -> JobsProcess.Result {
        try await stack.jobs(["run", "bill"] + options, with: settings([:]))
    }
}
