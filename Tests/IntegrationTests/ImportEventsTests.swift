import Foundation
import Testing

struct ImportEventsTests {
    /// Lines that are no events, each with the code that says why.
    private static let rejected: [(code: String, line: String)] = [
        ("bad_json", #"{"transaction_id":"t1""# + "}}"),
        ("bad_json", "not JSON"),
        ("duplicate_key", #"{"transaction_id":"a","transaction_id":"b"}"#),
        ("not_an_object", "[1,2]"),
        ("unknown_field", line(#""source":"x""#)),
        (
            "missing_field",
            #"{"transaction_id":"t","event_type":"storage","timestamp":1431856803000}"#
        ),
        ("wrong_type", line(timestamp: "\"2015-05-17\"")),
        ("wrong_type", line(timestamp: "1431856803.5")),
        ("wrong_type", line(properties: "[]")),
        ("bad_identifier", line(customer: "a b")),
        ("bad_identifier", line(customer: "")),
        ("bad_identifier", line(customer: String(repeating: "x", count: 129))),
        (
            "string_too_long",
            line(properties: #"{"note":"\#(String(repeating: "é", count: 1001))"}"#)
        ),
        ("bad_timestamp", line(timestamp: "-1")),
        ("in_future", line(timestamp: "8836156800000")),
        (
            "line_too_long",
            line(properties: #"{"a":[\#(String(repeating: "1,", count: 600_000))1]}"#)
        ),
    ]

    private static func line(
        _ extra: String = #""properties":{}"#, customer: String = "acme",
        timestamp: String = "1431856803000", properties: String? = nil
    ) -> String {
        """
        {"transaction_id":"t","customer_id":"\(customer)","event_type":"storage",\
        "timestamp":\(timestamp),\(properties.map { "\"properties\":\($0)" } ?? extra)}
        """
    }

    @Test func `each rejected line is reported with its number and reason, and kept`() async throws
    {
        try await withStack(catalog: nil) { stack in
            // Good lines and blank ones stand between the bad ones: line 2, 5, 8, ... is bad.
            var text = ""
            for (index, bad) in Self.rejected.enumerated() {
                text += eventLine("good-\(index)", of: "acme", at: "2015-05-17T10:00:00Z", "{}")
                text += bad.line + "\n \n"
            }
            text += #"{"transaction_id":"cut"#
            let result = try await stack.jobs(
                "import", "events", "--allow-backfill", "--reject-file", "rejects.jsonl",
                try stack.file("events.jsonl", text))
            #expect(result.status == 1)
            let reported = result.errors.split(separator: "\n")
                .compactMap { $0.wholeMatch(of: /line (\d+): ([a-z_]+): .{10,}/) }
            #expect(reported.count == Self.rejected.count + 1)
            for (index, bad) in Self.rejected.enumerated() where index < reported.count {
                #expect(reported[index].1 == "\(3 * index + 2)" && reported[index].2 == bad.code)
            }
            #expect(reported.last?.2 == "incomplete_last_line")

            let count = Self.rejected.count
            #expect(
                result.output.contains(
                    "\(3 * count + 1) lines: \(count) events, \(count + 1) rejected, \(count) blank"
                ))
            #expect(result.output.contains("\(count) added, 0 known already"))
            for (code, lines) in Dictionary(grouping: Self.rejected, by: \.code) {
                #expect(result.output.contains("\n  \(code): \(lines.count)\n"))
            }
            let kept = try String(decoding: stack.bytes("rejects.jsonl"), as: UTF8.self)
            // Of a line that is too long the first mebibyte is kept.
            let lines = Self.rejected.map { String($0.line.prefix(1 << 20)) }
            #expect(kept == (lines + [#"{"transaction_id":"cut"#, ""]).joined(separator: "\n"))
            #expect(try await stack.eventRows() == count)
        }
    }

    @Test func `events over 30 days old are taken only as a backfill`() async throws {
        try await withStack(catalog: nil) { stack in
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let day: Int64 = 86_400_000
            let times = [now - 31 * day, now - 29 * day, now, now + 60_000, now + 10 * 60_000]
            let lines = times.enumerated().map { index, time in
                #"{"transaction_id":"t\#(index)","customer_id":"acme","event_type":"storage","timestamp":\#(time)}"#
            }
            let file = try stack.file("events.jsonl", lines.joined(separator: "\n") + "\n")
            let strict = try await stack.jobs("import", "events", file)
            #expect(strict.status == 1)
            #expect(strict.errors.contains("line 1: too_old: "))
            #expect(strict.errors.contains("line 5: in_future: "))
            #expect(strict.errors.lineCount == 2)
            #expect(strict.output.contains("3 added, 0 known already"))
            let backfill = try await stack.jobs("import", "events", "--allow-backfill", file)
            #expect(backfill.status == 1)
            #expect(backfill.errors.lineCount == 1 && backfill.errors.contains("line 5: in_future"))
            #expect(backfill.output.contains("1 added, 3 known already"))
        }
    }

    @Test(arguments: ["events", "access-log", "customers"])
    func `a file that is missing or a folder is bad input`(kind: String) async throws {
        try await withStack(catalog: nil) { stack in
            let missing = try await stack.jobs("import", kind, "nowhere.txt")
            #expect(missing.status == 65)
            #expect(missing.errors.contains("nowhere.txt cannot be read: No such file"))
            #expect(missing.output.isEmpty)
            let folder = try await stack.jobs("import", kind, stack.folder)
            #expect(folder.status == 65)
            #expect(folder.errors.contains("directory"))
        }
    }

    @Test func `a quantity keeps every digit from the file to the invoice`() async throws {
        let prices = Sample.catalog(
            version: "exact", effectiveFrom: "2015-01-01",
            plans: """
                  - {code: basic, currency: usd, charges: [{metric: bandwidth, model: per_unit, unit_amount: "0.00000000001"}]}
                """)
        try await withStack(catalog: prices) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nacme,basic,usd\n")
            let amounts = [
                "12345678901234567.123456789", #""0.000000002""#, "1", #""9007199254740993""#,
            ]
            try await stack.importEvents(
                amounts.enumerated().map { index, amount in
                    eventLine(
                        "t\(index)", of: "acme", type: "api_request", at: "2015-05-17T10:00:00Z",
                        #"{"bytes":\#(amount)}"#)
                })
            let exact = "21352878155975561.123456791"
            let used = try await stack.usage("2015-05").filter { $0.metric == "bandwidth" }
            #expect(used.map(\.quantity) == [exact] && used.map(\.unparsable) == [0])
            let report = try await stack.bill("2015-05", "--requests", "plan.jsonl")
            // 213,528.78155975561123456791 dollars, rounded once.
            #expect(report.due == .init(count: 1, totalMinor: ["usd": 21_352_878]))
            let invoice = try await stack.invoice(of: "acme", "2015-05")
            #expect(invoice.quantity(of: "bandwidth") == exact)
            #expect(invoice.lines[0].description == "bandwidth: \(exact) byte")
            let export = try await stack.done("invoices", "export", "--slot", "2015-05")
            #expect(export.contains(",bandwidth,\(exact),21352878,"))
            #expect(export.contains(",21352878,4,"), "the total, and of how many events")
            #expect(String(decoding: try stack.bytes("plan.jsonl"), as: UTF8.self).contains(exact))
            #expect(
                try await stack.value("SELECT quantity::text AS value FROM invoice_lines") == exact)
        }
    }

    @Test func `the same file imported by two processes at once is billed once`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nacme,basic,usd\n")
            let lines = (1...500).map {
                eventLine(
                    "t\($0)", of: "acme", type: "api_request", at: "2015-05-17T10:00:00Z",
                    #"{"bytes":1000}"#)
            }
            let file = try stack.file("events.jsonl", lines.joined())
            let imports = try (1...2).map { _ in
                try stack.start(["import", "events", "--allow-backfill", file])
            }
            for process in imports { #expect(try await process.result().status == 0) }
            let report = try await stack.bill("2015-05")
            #expect(report.events == 500 && report.conflicts == 0)
            #expect(try await stack.invoice(of: "acme", "2015-05").quantity(of: "calls") == nil)
            #expect(
                try await stack.invoice(of: "acme", "2015-05").quantity(of: "bandwidth") == "500000"
            )
        }
    }
}
