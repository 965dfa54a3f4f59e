import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// `jobs run reconcile`: what was sent, beside the usage of now and beside Stripe.
struct ReconcileTests {
    private struct Listed: Decodable, Equatable {
        let customerID: String
        let side: String
        let cause: String
        let ledgerMinor: Int64
        let otherMinor: Int64
        let differenceMinor: Int64
        let differencePercent: String?
        let healed: String
        let detail: String

        enum CodingKeys: String, CodingKey {
            case side, cause, healed, detail
            case customerID = "customer_id"
            case ledgerMinor = "ledger_minor"
            case otherMinor = "other_minor"
            case differenceMinor = "difference_minor"
            case differencePercent = "difference_percent"
        }
    }

    private static let reconcile = [
        "run", "reconcile", "--slot", "2015-06-20", "--month", "2015-05",
    ]

    private func drifts(
        _ scene: SubmittedStack, status: Int32, _ options: String...
    ) async throws -> [Listed] {
        let result = try await scene.stack.jobs(
            Self.reconcile + ["--format", "json"] + options, with: scene.settings([:]))
        #expect(result.status == status, "\(result.errors)")
        return try result.output.split(separator: "\n").map {
            try JSONDecoder().decode(Listed.self, from: Data($0.utf8))
        }
    }

    @Test func `a month that is as it should be has no drift`() async throws {
        try await withSubmittedStack { scene in
            let nothing = try await scene.stack.jobs(
                Self.reconcile, with: scene.settings(["STRIPE_API_KEY": nil]))
            #expect(nothing.status == 0)
            #expect(nothing.output == "nothing was sent to Stripe in these months\n")
            #expect(try await scene.bill().status == 0)
            // Stripe collected Bob's card, and nobody has told the ledger, or will: it reads the invoice again.
            let bob = try await drifts(scene, status: 0)
            #expect(bob.map(\.cause) == ["status"] && bob[0].healed == "yes")
            #expect(try await scene.stack.invoice(of: "bob", "2015-05").status == "paid")
            #expect(try await drifts(scene, status: 0) == [])
            let table = try await scene.stack.jobs(Self.reconcile, with: scene.settings([:]))
            #expect(table.output == "2 invoices of 2015-05 compared: 0 drifts, 0 of them mended\n")
        }
    }

    @Test func `late usage of whoever was not sent an invoice is found when the month is done`()
        async throws
    {
        try await withSubmittedStack { scene in
            let stack = scene.stack
            let made = try await scene.stripe.send("POST", "/v1/customers", "email=z%40example.com")
            let zed = try #require(made.json["id"]?.text)
            // Nothing to charge, too little to charge, and nobody to charge.
            try await stack.importCustomers(
                """
                customer_id,stripe_customer_id,plan,currency,active_until
                zed,\(zed),basic,usd,
                tom,,basic,usd,
                ivy,,basic,usd,2015-05-01

                """)
            try await stack.importEvents([stored("0.3", of: "tom")])
            #expect(try await scene.bill().status == 0)
            #expect(try await drifts(scene, status: 0).map(\.cause) == ["status"])
            try await stack.importEvents([
                stored("10000", of: "zed"), stored("5.3", of: "tom", id: "late"),
                stored("3", of: "ivy"), stored("2", of: "una"),
            ])
            func found(status: Int32) async throws -> [String] {
                try await drifts(scene, status: status).map {
                    "\($0.customerID) \($0.cause) \($0.ledgerMinor) \($0.otherMinor) \($0.detail)"
                }
            }
            let tom =
                "tom late 30 530 storage: 0.3 billed, 5.3 used; jobs invoices propose --slot 2015-05 corrects it"
            let ivy = "ivy late 0 300 storage: 0 billed, 3 used; the customer is inactive"
            let una = "una late 0 0 storage: 2 GB; the customer has no terms: jobs import customers"
            #expect(
                try await found(status: 1) == [
                    ivy, tom,
                    "zed late 0 1000000 storage: 0 billed, 10000 used; jobs run bill --slot 2015-05 charges it",
                    una,
                ])
            // Before the month is done, the next run of bill takes up the others by itself.
            try await stack.postgres.query(
                "UPDATE job_slots SET status = 'failed' WHERE job = 'bill'")
            #expect(try await found(status: 1) == [tom])
            #expect(try await scene.bill().status == 1)
            #expect(try await stack.invoice(of: "zed", "2015-05").status == "open")
            #expect(try await found(status: 1) == [ivy, tom, una])
        }
    }

    @Test func `late usage, lost usage and another price are told apart, and change nothing`()
        async throws
    {
        try await withSubmittedStack { scene in
            #expect(try await scene.bill().status == 0)
            #expect(
                try await scene.stack.jobs(
                    ["run", "process-webhooks"], with: scene.settings([:])
                ).status == 0)
            // Ann stored 2.5 GB more than she was billed; the same event comes twice.
            let late = stored("12.5", of: "ann", id: "late")
            try await scene.stack.importEvents([late, late])
            let before = try await scene.effects()
            #expect(
                try await drifts(scene, status: 1, "--output", "drift.csv") == [
                    Listed(
                        customerID: "ann", side: "usage", cause: "late", ledgerMinor: 1_000,
                        otherMinor: 1_250, differenceMinor: 250, differencePercent: "25.00",
                        healed: "no",
                        detail:
                            "storage: 10 billed, 12.5 used; jobs invoices propose --slot 2015-05 corrects it"
                    )
                ])
            let csv = String(decoding: try scene.stack.bytes("drift.csv"), as: UTF8.self)
            #expect(csv.hasPrefix("slot,customer_id,invoice_id,stripe_invoice_id,side,cause,"))
            #expect(csv.lineCount == 2 && csv.contains(",usage,late,usd,1000,1250,250,25.00,no,"))
            // Bob's was changed by somebody who may do everything.
            for statement in [
                "ALTER TABLE invoices DISABLE TRIGGER USER",
                "ALTER TABLE invoice_lines DISABLE TRIGGER USER",
                "UPDATE invoice_lines SET amount_minor = 1900 WHERE amount_minor = 2000",
                "UPDATE invoices SET total_minor = 1900 WHERE total_minor = 2000",
                "ALTER TABLE invoices ENABLE TRIGGER USER",
                "ALTER TABLE invoice_lines ENABLE TRIGGER USER",
            ] { try await scene.stack.postgres.query(statement) }
            let both = try await drifts(scene, status: 1)
            #expect(
                both.map { "\($0.customerID) \($0.side) \($0.cause) \($0.differenceMinor)" } == [
                    "ann usage late 250", "bob usage price 100", "bob stripe edited 100",
                ])
            #expect(try await scene.effects() == before)
            // The first finding and the second one; the same again would be neither.
            #expect(
                try await scene.stack.value(
                    """
                    SELECT string_agg(concat_ws(' ', kind, severity, body->>'drifts', state), ', '
                        ORDER BY alert_id) AS value
                    FROM alerts
                    """) == "drift warning 1 resolved, drift critical 3 open")
            let figures: String = try await scene.stack.value(
                "SELECT figures::text AS value FROM job_attempts ORDER BY attempt_id DESC LIMIT 1")
            #expect(figures.contains(#""late": 1"#) && figures.contains(#""edited": 1"#))
            // A month that the days do not come back to is told of no more.
            try await scene.stack.postgres.query(
                """
                INSERT INTO alerts (key, kind, severity, subject, body)
                VALUES ('old', 'drift', 'warning', '2015-03', '{}')
                """)
            let old = "SELECT state AS value FROM alerts WHERE key = 'old'"
            _ = try await drifts(scene, status: 1)
            #expect(try await scene.stack.value(old) == "open")
            let day = try await scene.stack.jobs(
                ["run", "reconcile", "--slot", "2015-06-20"], with: scene.settings([:]))
            #expect(day.status == 1, "\(day.errors)")
            #expect(try await scene.stack.value(old) == "resolved")
        }
    }
}
