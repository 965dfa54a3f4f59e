import Exact
import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// A stack that sends its invoices to a Stripe of its own.
struct SubmittedStack {
    let stack: Stack
    let stripe: ServerProcess
    /// Stripe's ids of the customers.
    let customers: [String: String]

    static let bill = ["run", "bill", "--slot", "2015-05"]

    func bill(with changes: [String: String?] = [:]) async throws -> JobsProcess.Result {
        try await stack.jobs(Self.bill, with: settings(changes))
    }

    func start(with changes: [String: String?] = [:]) throws -> JobsProcess {
        try stack.start(Self.bill, with: settings(changes))
    }

    /// Three minutes pass everywhere: what those who died had taken runs out, the job, the invoice and the
    /// event, and at Stripe no request is at work any more.
    func letClaimsRunOut() async throws {
        let clock = try await stripe.send("POST", "/_sim/clock", #"{"advance_seconds": 200}"#)
        #expect(clock.status == 200)
        try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
        try await stack.postgres.query(
            """
            CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
                AS $$ SELECT clock_timestamp() + interval '200 seconds' $$
            """)
    }

    /// What Stripe really did, in all.
    func effects() async throws -> [String: Int] {
        let answer = try await stripe.send("GET", "/_sim/effects").json
        return (answer["total"]?.fields ?? [:]).compactMapValues(\.integer)
    }

    /// What Stripe really did for a customer.
    func effects(of customer: String) async throws -> [String: Int] {
        let id = try #require(customers[customer])
        let answer = try await stripe.send("GET", "/_sim/effects?customer=\(id)").json
        return (answer["customers"]?[id]?.fields ?? [:]).compactMapValues(\.integer)
    }

    func setFault(_ path: String, _ fault: String) async throws {
        let body = #"[{"match": {"method": "POST", "path": "\#(path)"}, "fault": \#(fault)}]"#
        #expect(try await stripe.send("POST", "/_sim/faults", body).status == 200)
    }

    /// Waits until a fault was met.
    func untilFaultIsMet() async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            let met = try await stripe.send("GET", "/_sim/faults").json["met"]?.fields ?? [:]
            if met.values.contains(where: { ($0.integer ?? 0) > 0 }) { return }
            try #require(ContinuousClock.now < deadline, "no request met the fault")
        }
    }

    func settings(_ changes: [String: String?]) -> [String: String?] {
        let settings: [String: String?] = [
            "STRIPE_API_KEY": "sk_test_simulator", "STRIPE_API_BASE": stripe.url,
            "STRIPE_REQUESTS_PER_SECOND": "10000", "STRIPE_ENDPOINT_REQUESTS_PER_SECOND": "10000",
            "BILLING_MODE": "live", "BILLING_FIRST_SLOT": "2015-05",
        ]
        return settings.merging(changes) { $1 }
    }
}

/// Runs a test with usage in May 2015: Ann is mailed 10.00, Bob is charged 20.00.
func withSubmittedStack(
    on server: OwnPostgres? = nil, _ body: (SubmittedStack) async throws -> Void
) async throws {
    try await withStack(catalog: Sample.simpleCatalog, on: server) { stack in
        let stripe = try ServerProcess()
        var customers: [String: String] = [:]
        for name in ["ann", "bob"] {
            let made = try await stripe.send("POST", "/v1/customers", "email=\(name)%40example.com")
            customers[name] = try #require(made.json["id"]?.text)
        }
        try await stack.importCustomers(
            """
            customer_id,stripe_customer_id,plan,currency,timezone,collection_method,days_until_due
            ann,\(customers["ann"] ?? ""),basic,usd,UTC,send_invoice,30
            bob,\(customers["bob"] ?? ""),basic,usd,UTC,charge_automatically,

            """)
        try await stack.importEvents([stored("10", of: "ann"), stored("20", of: "bob")])
        try await body(SubmittedStack(stack: stack, stripe: stripe, customers: customers))
        stripe.end(SIGTERM)
    }
}
