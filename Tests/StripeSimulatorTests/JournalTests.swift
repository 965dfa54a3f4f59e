import StripeSimulation
import TestSupport
import Testing

/// What a simulator knows after the process that filled its journal is gone.
struct JournalTests {
    private func sandbox(_ file: TemporaryFile, at time: Int = Sandbox.start) throws -> Sandbox {
        try Sandbox {
            $0.journalPath = file.path
            $0.clock = { time }
        }
    }

    /// Everything that can be asked for.
    private func contents(_ sandbox: Sandbox) -> [JSONValue] {
        ["state", "effects", "clock", "held"].map {
            sandbox.control("GET", "/_sim/\($0)").json
        }
    }

    /// A bit of everything: faults, late requests, moved clocks, refusals, deletions.
    private func fill(_ sandbox: Sandbox) {
        let customer = sandbox.customer("email=a@example.com&name=\"A\"%0A日")
        sandbox.simulator.add([
            FaultRule(path: "/v1/invoices", nth: 2, Fault(.errorStoredAfter)),
            FaultRule(path: "/v1/invoices", nth: 3, Fault(.lockTimeoutStored)),
            FaultRule(path: "/v1/invoices", nth: 4, Fault(.held)),
            FaultRule(path: "/v1/invoices", nth: 5, Fault(.held, deliverAfterMilliseconds: 5_000)),
            FaultRule(path: "/v1/invoices", nth: 6, Fault(.answerLost)),
            FaultRule(path: "/v1/invoices", nth: 7, Fault(.held)),
        ])
        for number in 1...8 {
            sandbox.post("/v1/invoices", "customer=\(customer)", key: "k\(number)")
            _ = sandbox.get("/v1/account")
        }
        let id = sandbox.open(customer)
        sandbox.control("POST", "/_sim/customers/\(customer)", #"{"card": "card_declined"}"#)
        sandbox.post("/v1/invoices/\(id)", "auto_advance=true")
        sandbox.simulator.advance(seconds: 4 * 86_400)
        sandbox.simulator.release([sandbox.simulator.heldNumbers[0]])
        sandbox.send("DELETE", "/v1/invoices/\(sandbox.draft(customer))")
        sandbox.post("/v1/invoices/\(id)/finalize", key: "refused")
    }

    @Test func `everything is there again, to the byte`() throws {
        let file = TemporaryFile()
        var before: [JSONValue] = []
        do {
            let sandbox = try sandbox(file)
            fill(sandbox)
            before = contents(sandbox)
        }
        #expect(before[3]["held"]?.elements?.count == 1)
        for _ in 0..<2 {
            let sandbox = try sandbox(file)
            #expect(contents(sandbox) == before)
        }
        let sandbox = try sandbox(file)
        let id = sandbox.get("/v1/invoices", "status=open").ids[0]
        let again = sandbox.post("/v1/invoices/\(id)/finalize", key: "refused")
        #expect(again.status == 400)
        #expect(again.header("Idempotent-Replayed") == "true")
    }

    @Test func `after a restart, new objects get ids of their own`() throws {
        let file = TemporaryFile()
        let first = try sandbox(file).customer()
        let (second, request) = try {
            let answer = try sandbox(file).post("/v1/customers")
            return (answer.id, answer.header("Request-Id"))
        }()
        let last = try sandbox(file).post("/v1/customers")
        #expect(Set([first, second, last.id]).count == 3)
        #expect(request != last.header("Request-Id"))
    }

    @Test func `a last line that was cut off never happened`() throws {
        let file = TemporaryFile()
        let whole = try {
            let sandbox = try sandbox(file)
            _ = sandbox.customer()
            return contents(sandbox)
        }()
        let kept = file.text
        _ = try sandbox(file).customer()
        let line = file.text.dropFirst(kept.count)
        for count in [1, line.count / 2, line.count - 1] {
            try file.write(kept + line.prefix(count))
            let sandbox = try sandbox(file)
            #expect(contents(sandbox) == whole)
            #expect(file.text == kept)
        }
    }

    @Test(arguments: ["{\"at\": 1}\n", "nonsense\n", "{\"at\": 1, \"do\": \"dance\"}\n"])
    func `a line that cannot be read stops the start, and is named`(line: String) throws {
        let file = TemporaryFile()
        _ = try sandbox(file).customer()
        try file.write(file.text + line)
        let error = #expect(throws: JournalError.self) { try self.sandbox(file) }
        #expect(error?.description.contains("line 3") == true)
    }

    @Test func `a journal belongs to one account, and to one simulator at a time`() throws {
        let file = TemporaryFile()
        do {
            let sandbox = try sandbox(file)
            let error = #expect(throws: JournalError.self) { try self.sandbox(file) }
            #expect(error?.description.contains("in use") == true)
            _ = sandbox.customer()
        }
        #expect(throws: JournalError.self) {
            try Sandbox {
                $0.journalPath = file.path
                $0.livemode = true
            }
        }
        #expect(throws: JournalError.self) {
            try Sandbox {
                $0.journalPath = file.path
                $0.accountID = "acct_other"
            }
        }
        #expect(throws: JournalError.self) { try Sandbox { $0.journalPath = "/nowhere/file" } }
    }

    @Test func `time that passed while it was away has passed`() throws {
        let file = TemporaryFile()
        let id = try sandbox(file).draft(nil, "&auto_advance=true")
        let later = try sandbox(file, at: Sandbox.start + 7_200_000)
        #expect(later.status(id) == "paid")
        let finalized = later.get("/v1/invoices/\(id)")["status_transitions"]?["finalized_at"]
        #expect(finalized?.integer == Sandbox.start / 1_000 + 3_600)
    }

    @Test func `secrets are not written down`() throws {
        let file = TemporaryFile()
        _ = try sandbox(file).customer()
        #expect(!file.text.contains("sk_test_simulator"))
    }
}
