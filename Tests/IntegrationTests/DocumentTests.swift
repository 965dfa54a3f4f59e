import Foundation
import Testing

@testable import jobs

/// What the documents promise is there, and what is there stands in them.
struct DocumentTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: repository.appending(path: path), encoding: .utf8)
    }

    @Test func `the runbook knows every alert of Prometheus`() throws {
        let names = try Self.text("schedules/alerts.yaml").matches(of: #/- alert: (\w+)/#).map {
            "\($0.1)"
        }
        let runbook = try Self.text("docs/runbook.md")
        #expect(names.count > 10)
        for name in names { #expect(runbook.contains("`\(name)`"), "\(name)") }
    }

    @Test func `the README enables a timer for every job, or the server`() throws {
        let enabling = try Self.text("README.md").split(separator: "\n")
            .filter { $0.hasPrefix("systemctl enable ") }.joined(separator: "\n")
        for job in JobRegistry.descriptions {
            #expect(enabling.contains(job.name), "\(job.name)")
        }
        #expect(enabling.contains("meterflow-serve.service"))
    }

    @Test func `the tests that security rests on are there`() throws {
        let security = try Self.text("docs/security.md")
        let names = security.matches(of: #/`(\w+Tests)`/#).map { "\($0.1)" }
        let tests = FileManager.default.enumerator(
            at: Self.repository.appending(path: "Tests"), includingPropertiesForKeys: nil)
        let files = Set(try #require(tests).compactMap { ($0 as? URL)?.lastPathComponent })
        #expect(names.count > 10)
        for name in names { #expect(files.contains("\(name).swift"), "\(name)") }
    }

    @Test func `every package that is resolved is named with its licence`() throws {
        struct Resolved: Decodable {
            struct Pin: Decodable {
                let identity: String
            }

            let pins: [Pin]
        }
        let resolved = try JSONDecoder().decode(
            Resolved.self, from: Data(Self.text("Package.resolved").utf8))
        let security = try Self.text("docs/security.md")
        let named = Set(security.matches(of: #/`([a-z0-9-]+)`/#).map { "\($0.1)" })
        #expect(!resolved.pins.isEmpty)
        for pin in resolved.pins { #expect(named.contains(pin.identity), "\(pin.identity)") }
    }
}
