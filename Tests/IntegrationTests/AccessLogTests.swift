import Foundation
import Testing

struct AccessLogTests {
    private static let good =
        #"10.0.0.1 - ann [17/May/2015:10:05:03 +0000] "GET /a?key=k1 HTTP/1.1" 200 512"#

    /// Lines that are no requests, each with the code that says why.
    private static let rejected: [(code: String, line: String)] = [
        ("malformed_line", "garbage"),
        ("malformed_line", good.replacing("[17/May/2015:10:05:03 +0000]", with: "[yesterday]")),
        ("malformed_line", good.replacing(" 200 ", with: " 20 ")),
        ("malformed_line", good.replacing(" 512", with: " -512")),
        ("malformed_line", good.replacing("\"GET", with: "GET")),
        ("bad_timestamp", good.replacing("17/May", with: "31/Feb")),
        ("leap_second", good.replacing("17/May/2015:10:05:03", with: "30/Jun/2015:23:59:60")),
        ("in_future", good.replacing("2015", with: "2199")),
        ("missing_customer", good.replacing("10.0.0.1 - ann", with: "- - ann")),
        ("bad_identifier", good.replacing("10.0.0.1", with: "a@b")),
    ]

    @Test func `each line that is no request is reported with its number and reason`() async throws
    {
        try await withStack(catalog: nil) { stack in
            var lines = [Self.good]
            for bad in Self.rejected { lines += [bad.line, Self.good] }
            let file = try stack.file("access.log", lines.joined(separator: "\n") + "\n")
            let result = try await stack.jobs(
                "import", "access-log", "--reject-file", "rejects.log", file)
            #expect(result.status == 1)
            let reported = result.errors.split(separator: "\n")
                .compactMap { $0.wholeMatch(of: /line (\d+): ([a-z_]+): .{10,}/) }
            #expect(
                reported.map { "\($0.1) \($0.2)" }
                    == Self.rejected.indices.map {
                        "\(2 * $0 + 2) \(Self.rejected[$0].code)"
                    })
            let kept = try String(decoding: stack.bytes("rejects.log"), as: UTF8.self)
            #expect(kept == Self.rejected.map { $0.line + "\n" }.joined())
            // Equal lines are different requests: each good one counts.
            #expect(result.output.contains("\(Self.rejected.count + 1) added, 0 known already"))
        }
    }

    @Test(arguments: [
        (["--customer", "user"], "ann"), (["--customer", "query:key"], "k1"), ([], "10.0.0.1"),
    ])
    func `the customer is taken from where it was asked for`(
        options: [String], customer: String
    ) async throws {
        try await withStack(catalog: nil) { stack in
            let file = try stack.file("access.log", Self.good + "\n")
            let result = try await stack.jobs(["import", "access-log", file] + options)
            #expect(result.status == 0)
            #expect(try await stack.eventRows(where: "customer_id = '\(customer)'") == 1)
        }
    }

    @Test func `logs of two servers that begin alike are told apart by their source`() async throws
    {
        try await withStack(catalog: nil) { stack in
            let file = try stack.file("access.log", Self.good + "\n")
            try await stack.done("import", "access-log", file)
            try await stack.done("import", "access-log", "--source", "two", file)
            try await stack.done("import", "access-log", "--source", "two", file)
            #expect(try await stack.eventRows() == 2)
        }
    }
}
