import Ledger
import Postgres
import Testing

/// Alerts come in once for each key, with their cause, and go when it is over.
struct AlertTests {
    private static func alert(_ key: String, kind: String = "test") -> Alert {
        Alert(key: key, kind: kind, severity: .warning, subject: "thing", body: #"{"next":"look"}"#)
    }

    private static func states(_ ledger: TestLedger) async throws -> [String] {
        try await ledger.values(
            """
            SELECT concat_ws(' ', key, state, round, needs_routing, acknowledged_by) AS value
            FROM alerts ORDER BY key
            """)
    }

    @Test func `an alert is raised once, and anew after it was resolved`() async throws {
        try await withLedger { ledger in
            let alerts = AlertStore(pool: ledger.pool)
            for _ in 0..<3 { try await alerts.raise(Self.alert("a")) }
            try await alerts.raise(Self.alert("b"))
            #expect(try await Self.states(ledger) == ["a open 1 t", "b open 1 t"])
            try await ledger.pool.query("UPDATE alerts SET needs_routing = false")
            try await alerts.raise(Self.alert("a"))
            #expect(try await Self.states(ledger) == ["a open 1 f", "b open 1 f"])
            for _ in 0..<2 { try await alerts.resolve(key: "a") }
            #expect(try await Self.states(ledger) == ["a resolved 1 t", "b open 1 f"])
            try await alerts.raise(Self.alert("a"))
            #expect(try await Self.states(ledger) == ["a open 2 t", "b open 1 f"])
        }
    }

    @Test func `a person acknowledges what is open, once`() async throws {
        try await withLedger { ledger in
            let alerts = AlertStore(pool: ledger.pool)
            try await alerts.raise(Self.alert("a"))
            for person in ["ann", "bob"] {
                try await ledger.pool.transaction {
                    try AlertStore.acknowledge(key: "a", by: person, on: $0)
                }
            }
            #expect(try await Self.states(ledger) == ["a acknowledged 1 t ann"])
            try await alerts.raise(Self.alert("a"))
            #expect(try await Self.states(ledger) == ["a acknowledged 1 t ann"])
        }
    }

    @Test func `what is rolled back raises nothing`() async throws {
        struct Broken: Error {}
        try await withLedger { ledger in
            await #expect(throws: Broken.self) {
                try await ledger.pool.transaction { connection in
                    try AlertStore.raise(Self.alert("a"), on: connection)
                    throw Broken()
                }
            }
            let states = try await Self.states(ledger)
            #expect(states == [])
        }
    }

    @Test func `an invoice that is paid resolves what its payment raised, and nothing else`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let inbox = Inbox(scene)
            let ann = try await scene.add("ann")
            try await scene.run([ann])
            let alerts = AlertStore(pool: ledger.pool)
            scene.customer(ann, "fail_open")
            try await inbox.receiveAll()
            try await inbox.drain()
            try await alerts.raise(
                Alert(
                    key: "payment_failed:inv_bob:1", kind: "payment_failed", severity: .warning,
                    subject: "inv_bob", body: "{}"))
            try await alerts.raise(
                Alert(
                    key: "invoice_disputed:inv_ann", kind: "invoice_disputed",
                    severity: .critical, subject: "inv_ann", body: "{}"))
            scene.customer(ann, "pay_open")
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(
                try await Self.states(ledger) == [
                    "invoice_disputed:inv_ann open 1 t", "payment_failed:inv_ann:1 resolved 1 t",
                    "payment_failed:inv_bob:1 open 1 t",
                ])
        }
    }
}
