import Foundation
import Postgres
import Testing

struct ListTests {
    private static let keys: Set<String> = [
        "invoice_id", "customer_id", "slot", "timezone", "period_start", "period_end", "kind",
        "revision",
        "mode", "status", "hold_reason", "currency", "total_minor", "stripe_invoice_id",
        "catalog_version",
        "cutoff_batch", "lines",
    ]

    /// Prices under which a line's description begins like a formula.
    private static let formulaCatalog = """
        version: formula
        effective_from: 2015-01-01
        metrics:
          - {code: "-storage", event_type: storage, aggregation: max, property: gb, unit: "GB, \\"raw\\""}
        plans:
          - {code: basic, currency: usd, charges: [{metric: "-storage", model: per_unit, unit_amount: "1"}]}
        """

    @Test func `a listed invoice has exactly the members that are promised`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency,timezone\nann,basic,usd,Asia/Kolkata\nbob,euro,eur,\n")
            try await stack.importEvents([
                stored("10.5", of: "ann")
            ])
            _ = try await stack.bill("2015-05")
            let output = try await stack.done(
                "invoices", "list", "--slot", "2015-05", "--format", "json")
            let objects = try output.split(separator: "\n").map { line in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            try #require(objects.count == 2)
            for object in objects { #expect(Set(object.keys) == Self.keys) }
            let ann = objects[0]
            #expect(ann["timezone"] as? String == "Asia/Kolkata")
            #expect(ann["period_start"] as? String == "2015-04-30T18:30:00Z")
            #expect(ann["period_end"] as? String == "2015-05-31T18:30:00Z")
            #expect(ann["kind"] as? String == "regular" && ann["revision"] as? Int == 0)
            #expect(ann["total_minor"] as? Int == 1_050 && ann["currency"] as? String == "usd")
            for name in ["mode", "hold_reason", "stripe_invoice_id"] {
                #expect(ann[name] is NSNull)
            }
            #expect(ann["cutoff_batch"] as? Int == 1)
            let lines = try #require(ann["lines"] as? [[String: Any]])
            try #require(lines.count == 1)
            #expect(
                Set(lines[0].keys) == [
                    "line_id", "metric", "quantity", "amount_minor", "description",
                ])
            #expect(lines[0]["quantity"] as? String == "10.5")
            #expect(lines[0]["amount_minor"] as? Int == 1_050)
            #expect((objects[1]["lines"] as? [Any])?.isEmpty == true)
        }
    }

    @Test func `CSV is read back whole, and nothing in it is a formula`() async throws {
        try await withStack(catalog: Self.formulaCatalog) { stack in
            let customers = [
                "=1+1", "+1", "-1", "@sum(1)", "a,b", "say \"hi\"", "two\nlines", "plain",
            ]
            try await stack.insertEvents(
                try customers.map { customer in
                    let row = [
                        "transaction_id": "t", "customer_id": customer, "event_type": "storage",
                        "timestamp": "2015-05-10 00:00:00.000", "properties": #"{"gb":3}"#,
                        "ingested_at": "2015-05-10 00:00:00.000",
                    ]
                    return String(decoding: try JSONEncoder().encode(row), as: UTF8.self)
                })
            _ = try await stack.bill("2015-05", "--default-plan", "basic")
            let defused = customers.map { "=+-@".contains($0.prefix(1)) ? "'\($0)" : $0 }
            for command in [["list"], ["export"]] {
                let result = try await stack.jobs(
                    ["invoices"] + command + ["--slot", "2015-05", "--format", "csv"])
                #expect(result.status == 0)
                let rows = try parseCSV(result.output)
                let header = try #require(rows.first)
                #expect(rows.allSatisfy { $0.count == header.count })
                let customer = try #require(header.firstIndex(of: "customer_id"))
                #expect(Set(rows.dropFirst().map { $0[customer] }) == Set(defused))
                #expect(rows.joined().allSatisfy { !"=+@".contains($0.prefix(1)) || $0.isEmpty })
                if let description = header.firstIndex(of: "description") {
                    #expect(
                        rows.dropFirst().allSatisfy {
                            $0[description] == #"'-storage: 3 GB, "raw""#
                        })
                }
            }
            let json = try await stack.invoices("--slot", "2015-05")
            #expect(Set(json.map(\.customerID)) == Set(customers))
        }
    }

    @Test func `an export says what it comes to, and whom it leaves out`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                """
                customer_id,plan,currency,active_until
                ann,basic,usd,
                bob,euro,eur,
                ivy,basic,usd,2015-05-01

                """)
            try await stack.importEvents([stored("10.5", of: "ann"), stored("1", of: "una")])
            _ = try await stack.bill("2015-05", status: 1)
            let export = ["invoices", "export", "--slot", "2015-05"]
            let json = try await stack.jobs(export + ["--format", "json"])
            #expect(json.status == 0)
            #expect(
                json.errors.hasPrefix(
                    "2015-05: 2 invoices with 1 lines, 0.00 EUR, 10.50 USD: as much as the ledger's invoices\n"
                ))
            #expect(json.errors.contains("unmapped: usage without terms (1); inactive (1); "))
            let rows = try json.output.split(separator: "\n").map { line in
                try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            #expect(rows.count == 2)
            #expect(rows[0]["amount_minor"] as? Int == 1_050)
            #expect(rows[0]["currency"] as? String == "usd")
            #expect(
                rows[0]["tiers"] as? [[String: String]] == [
                    ["quantity": "10.5", "unit_amount": "1", "flat_amount": "0"]
                ])
            #expect((rows[1]["tiers"] as? [Any])?.isEmpty == true)
            for statement in [
                "ALTER TABLE invoice_lines DISABLE TRIGGER USER",
                "UPDATE invoice_lines SET amount_minor = 999",
                "ALTER TABLE invoice_lines ENABLE TRIGGER USER",
            ] { try await stack.postgres.query(statement) }
            let changed = try await stack.jobs(export)
            #expect(changed.status == 1 && changed.errors.contains("NOT AS MUCH"))
        }
    }

    @Test func `a list can be narrowed, and an empty one is no failure`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency\nann,basic,usd\nbob,basic,usd\n")
            try await stack.importEvents([stored("10", of: "ann")])
            for slot in ["2015-05", "2015-06"] { _ = try await stack.bill(slot) }
            #expect(try await stack.invoices().count == 4)
            #expect(try await stack.invoices("--slot", "2015-05").count == 2)
            #expect(try await stack.invoices("--customer", "ann").count == 2)
            #expect(try await stack.invoices("--status", "computed").map(\.customerID) == ["ann"])
            #expect(try await stack.invoices("--slot", "2015-07").isEmpty)
            let table = try await stack.done("invoices", "list", "--slot", "2015-05")
            #expect(table.lineCount == 3 && table.contains("ann") && table.contains("10.00"))
            let empty = try await stack.done("invoices", "list", "--slot", "2015-07")
            #expect(empty.lineCount == 1 && empty.hasPrefix("INVOICE_ID  CUSTOMER_ID  SLOT"))
            let csv = try await stack.done(
                "invoices", "list", "--slot", "2015-07", "--format", "csv")
            #expect(csv.lineCount == 1 && csv.hasPrefix("invoice_id,customer_id,slot,"))
            let unknown = try await stack.jobs("invoices", "show", "inv_unknown")
            #expect(unknown.status == 65 && unknown.errors.contains("inv_unknown"))
            let verified = try await stack.jobs("invoices", "verify", "inv_unknown")
            #expect(verified.status == 65)
        }
    }

    @Test func `a reader that goes away is no error and no crash`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            // Far more than a pipe holds, in every format.
            try await stack.fillMonths(1, customers: 1_500)
            _ = try await stack.bill("2015-01")
            for format in ["json", "csv", "table"] {
                for reader in [JobsProcess.Reader.oneLine, .nobody] {
                    let result = try await stack.jobs(
                        "invoices", "list", "--format", format, reader: reader)
                    #expect(result.status == 0 && result.signal == nil)
                    #expect(result.errors.isEmpty)
                    #expect(result.output.lineCount == (reader == .oneLine ? 1 : 0))
                }
            }
        }
    }

    @Test func `a disk that is full is an error, and not the end of the process`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 3)
            let run = try await stack.jobs("run", "bill", "--slot", "2015-01", reader: .fullDisk)
            #expect(run.status == 69 && run.errors.contains("the output cannot be written"))
            for format in ["json", "csv", "table"] {
                let result = try await stack.jobs(
                    "invoices", "list", "--format", format, reader: .fullDisk)
                #expect(result.status == 69 && result.signal == nil)
            }
        }
    }

    @Test func `a run whose reader goes away does its work, and ends as it would have`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 3)
            try await stack.importEvents([stored("10", of: "eve", on: "2015-01-10")])
            let result = try await stack.jobs(
                "run", "bill", "--slot", "2015-01", "--requests", "plan.jsonl", reader: .nobody)
            #expect(result.status == 1 && result.signal == nil)
            #expect(try await stack.count("invoices") == 3)
            #expect(try stack.files().contains("plan.jsonl"))
        }
    }
}

/// RFC 4180, in the fewest words.
private func parseCSV(_ text: String) throws -> [[String]] {
    var rows: [[String]] = [[""]]
    var isQuoted = false
    var previous: Character = ","
    for character in text {
        switch (character, isQuoted) {
        case ("\"", true): isQuoted = false
        case ("\"", false):
            // A quote that follows one is a quote.
            if previous == "\"" {
                rows[rows.count - 1][rows[rows.count - 1].count - 1].append("\"")
            }
            isQuoted = true
        case (",", false): rows[rows.count - 1].append("")
        case ("\n", false): rows.append([""])
        default: rows[rows.count - 1][rows[rows.count - 1].count - 1].append(character)
        }
        previous = character
    }
    try #require(!isQuoted && rows.last == [""])
    return rows.dropLast()
}
