import Testing

/// The example that the prices are explained by: 15,000 calls, 2,100,000,000 bytes and a peak of 50 GB
/// are 11.50 + 21,000.00 + 5.00 = 21,016.50 USD.
struct WorkedExampleTests {
    @Test func `fifteen thousand calls, 2.1 GB and a peak of 50 GB are 21,016.50 dollars`()
        async throws
    {
        try await withStack { stack in
            try await stack.importExample()
            let report = try await stack.bill("2015-05")
            #expect(report.due == .init(count: 1, totalMinor: ["usd": 2_101_650]))
            #expect(report.events == 15_303 && report.duplicates == 0 && report.conflicts == 0)
            try await stack.expectExampleInvoice()
            let id = try await stack.invoice(of: "acme", "2015-05").invoiceID
            let explained = try await stack.done("invoices", "show", id)
            for text in [
                "1,000 x 0, up to 1,000", "9,000 x 0.001, up to 10,000", "5,000 x 0.0005",
                "11.50 USD", "21,000.00 USD", "5.00 USD", "21,016.50 USD  total",
            ] {
                #expect(explained.contains(text))
            }
        }
    }

    @Test func `duplicates and conflicts are counted, and cost nothing`() async throws {
        try await withStack { stack in
            try await stack.importExample()
            // The same rows received once more, and another content under the ids of fifty calls, under one
            // of them twice: that is a duplicate again.
            try await stack.insertCopies(
                "transaction_id IN ('call-1', 'call-2', 'peak-2')", "properties")
            try await stack.insertCopies(
                "match(transaction_id, '^call-1[0-4][0-9]$')", #"'{"status":200,"bytes":7}'"#)
            try await stack.insertCopies(
                "transaction_id = 'call-100' AND properties LIKE '%140000%'",
                #"'{"status":200,"bytes":7}'"#)
            let report = try await stack.bill("2015-05")
            #expect(report.due == .init(count: 1, totalMinor: ["usd": 2_101_650]))
            #expect(report.events == 15_303 && report.duplicates == 4 && report.conflicts == 50)
            try await stack.expectExampleInvoice()
            let conflicts = try await stack.done(
                "usage", "show", "--slot", "2015-05", "--only", "conflicts", "--format", "json")
            #expect(conflicts.lineCount == 50)
            #expect(
                conflicts.contains(#""counted_properties":"{\"status\":200,\"bytes\":140000}""#))
            #expect(conflicts.contains(#""conflicting_properties":"{\"status\":200,\"bytes\":7}""#))
        }
    }

    @Test func `a duplicate that arrives after the bill changes nothing`() async throws {
        try await withStack { stack in
            try await stack.importExample()
            _ = try await stack.bill("2015-05")
            try await stack.insertCopies("true", "properties")
            #expect(try await stack.eventRows() == 2 * 15_303)
            let report = try await stack.bill("2015-05")
            #expect(report.unchanged == 1 && report.changed == 0 && report.duplicates == 15_303)
            #expect(
                try await stack.done("invoices", "verify", "--slot", "2015-05").contains("0 differ")
            )
        }
    }
}

extension Stack {
    /// 15,000 calls that succeeded and 300 that did not, storage three times, at a customer with terms.
    fileprivate func importExample() async throws {
        try await importCustomers("customer_id,plan,currency\nacme,standard,usd\n")
        let answered = (1...15_000).map { call in
            eventLine(
                "call-\(call)", of: "acme", type: "api_request", at: "2015-05-17T10:05:03Z",
                #"{"status":200,"bytes":140000}"#)
        }
        let refused = (1...300).map { call in
            eventLine(
                "refused-\(call)", of: "acme", type: "api_request", at: "2015-05-17T10:05:03Z",
                #"{"status":\#([199, 300, 404, 500][call % 4]),"bytes":140000}"#)
        }
        let stored = [10, 50, 49].enumerated().map { index, size in
            eventLine(
                "peak-\(index + 1)", of: "acme", at: "2015-05-2\(index)T00:00:00Z",
                #"{"gb_stored":\#(size)}"#)
        }
        try await importEvents(answered + refused + stored)
    }

    fileprivate func expectExampleInvoice(
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let invoice = try await invoice(of: "acme", "2015-05")
        #expect(invoice.totalMinor == 2_101_650, sourceLocation: sourceLocation)
        #expect(
            invoice.lines.map { [$0.metric, $0.quantity] } == [
                ["api_calls", "15000"], ["bandwidth", "2100000000"], ["storage_peak", "50"],
            ], sourceLocation: sourceLocation)
        #expect(
            invoice.lines.map(\.amountMinor) == [1_150, 2_100_000, 500],
            sourceLocation: sourceLocation)
    }

    /// Inserts rows of the log again, an hour later, with these properties.
    fileprivate func insertCopies(_ condition: String, _ properties: String) async throws {
        try await clickHouse(
            """
            INSERT INTO events SELECT transaction_id, customer_id, event_type, timestamp,
                \(properties), ingested_at + INTERVAL 1 HOUR
            FROM events WHERE \(condition)
            """)
    }
}
