import Foundation
import Testing

struct CatalogFileTests {
    private static let mistakes = """
        version: "2015 01"
        effective_from: 2015-02-30
        metrics:
          - {code: calls, event_type: api_request, aggregation: count, unit: call}
          - {code: calls, event_type: api_request, aggregation: count, property: bytes, unit: call}
          - {code: bytes, event_type: api_request, aggregation: total, property: bytes, unit: byte}
          - {code: storage, event_type: storage, aggregation: max, unit: GB}
        plans:
          - code: basic
            currency: USD
            charges:
              - {metric: traffic, model: per_unit, unit_amount: "1"}
              - {metric: calls, model: per_unit, unit_amount: "-1"}
              - {metric: calls, model: per_unit, unit_amount: 1e-3}
              - {metric: calls, model: stairs, unit_amount: "1"}
              - {metric: calls, model: graduated, tiers: [{up_to: 10, unit_amount: "1"}]}
              - {metric: calls, model: package, unit_amount: "1"}
              - {metric: calls, model: per_unit, unit_amount: "1", discount: "1"}
        """
    private static let mistakenLines = [1, 2, 5, 6, 7, 10, 12, 13, 14, 15, 16, 17, 18]

    @Test(arguments: ["check", "apply"])
    func `a bad catalog is refused with all of its lines`(command: String) async throws {
        try await withStack(catalog: nil) { stack in
            let file = try stack.file("catalog.yaml", Self.mistakes)
            let result = try await stack.jobs("catalog", command, file)
            #expect(result.status == 65 && result.output.isEmpty)
            let lines = result.errors.matches(of: #/line (\d+): \S+/#).compactMap { Int($0.1) }
            #expect(Set(lines).isSuperset(of: Self.mistakenLines))
            #expect(Set(lines).isSubset(of: Self.mistakenLines + [3, 4, 8, 9, 11]))
            #expect(try await stack.count("catalog_versions") == 0)
        }
    }

    @Test(arguments: [
        "", "# nothing\n", "[]", "version: [", "plain text", "version: 1\nversion: 2\n",
    ])
    func `what is no catalog is bad input`(text: String) async throws {
        try await withStack(isMigrated: false) { stack in
            let file = try stack.file("catalog.yaml", text)
            let result = try await stack.jobs(
                "catalog", "check", file, with: ["DATABASE_URL": nil, "CLICKHOUSE_URL": nil])
            #expect(result.status == 65 && result.output.isEmpty)
            #expect(result.errors.contains("line "))
        }
    }

    @Test func `checking a catalog needs no database`() async throws {
        try await withStack(isMigrated: false) { stack in
            let file = try stack.file("catalog.yaml", Sample.catalog)
            let none: [String: String?] = ["DATABASE_URL": nil, "CLICKHOUSE_URL": nil]
            for input in [file, "-"] {
                let result = try await stack.jobs(
                    "catalog", "check", input, with: none, input: .file(file))
                #expect(result.status == 0 && result.output.contains("no mistakes"))
            }
            let prices = try await stack.jobs(
                "catalog", "show", file, "--format", "csv", with: none)
            #expect(prices.status == 0)
            #expect(prices.output.contains("standard,usd,api_calls,graduated,1000,10000,0.001,0"))
            let missing = try await stack.jobs("catalog", "check", "nowhere.yaml", with: none)
            #expect(missing.status == 65 && missing.errors.contains("nowhere.yaml"))
        }
    }

    @Test func `a version that was applied stays as it is`() async throws {
        try await withStack { stack in
            let file = try stack.file("catalog.yaml", Sample.catalog)
            #expect(try await stack.done("catalog", "apply", file).contains("nothing to do"))
            let dearer = Sample.catalog.replacing("0.0005", with: "0.0006")
            let changed = try await stack.jobs(
                "catalog", "apply", stack.file("changed.yaml", dearer))
            #expect(changed.status == 65)
            #expect(changed.errors.contains("catalog 2015-01 was applied with another content"))
            let sameDate = dearer.replacing("\"2015-01\"", with: "\"2015-01b\"")
            let clash = try await stack.jobs("catalog", "apply", stack.file("clash.yaml", sameDate))
            #expect(clash.status == 65)
            #expect(clash.errors.contains("catalog 2015-01 takes effect on 2015-01-01 already"))
            let later = sameDate.replacing("2015-01-01", with: "2015-02-01")
            let added = try await stack.done("catalog", "apply", stack.file("later.yaml", later))
            #expect(added.contains("catalog 2015-01b applied, in force from 2015-02-01"))
            #expect(try await stack.done("catalog", "show", "2015-01") == Sample.catalog)
            #expect(try await stack.done("catalog", "show", "2015-01b") == later)
            let list = try await stack.done("catalog", "show", "--format", "csv")
            #expect(list.lineCount == 3 && list.contains("\n2015-01,2015-01-01,"))
            let unknown = try await stack.jobs("catalog", "show", "2016")
            #expect(unknown.status == 65)
        }
    }
}
