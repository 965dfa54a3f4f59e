import Foundation
import Testing

/// The built program on recorded series; no database is there.
struct BacktestTests {
    /// Thirty days of one series at a constant 100, with an outage of three hours on the last.
    private static let outage = (0..<720).map { hour in
        let day = hour / 24 + 1
        let instant = String(format: "2026-09-%02dT%02d:00:00Z", day, hour % 24)
        return "acme,\(instant),\(700..<703 ~= hour ? 0 : 100)\n"
    }.joined()

    private func backtest(
        _ input: String, labels: String? = nil, _ arguments: String...
    ) async throws -> (result: JobsProcess.Result, scores: [Substring]) {
        let folder = NSTemporaryDirectory() + "it-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try input.write(toFile: folder + "/in.csv", atomically: true, encoding: .utf8)
        try labels?.write(toFile: folder + "/labels.csv", atomically: true, encoding: .utf8)
        let options = labels == nil ? [] : ["--labels", folder + "/labels.csv"]
        let result = try await JobsProcess(
            ["detect", "backtest", "--input", folder + "/in.csv", "--output", folder + "/out.csv"]
                + options + arguments, environment: [:], folder: folder
        ).result()
        let scores = try? String(contentsOfFile: folder + "/out.csv", encoding: .utf8)
        return (result, scores?.split(separator: "\n") ?? [])
    }

    @Test(arguments: ["default", "sensitive"])
    func `an outage is flagged in its first hour, and counted against labels`(sensitivity: String)
        async throws
    {
        let (result, scores) = try await backtest(
            "series,timestamp,value\n" + Self.outage,
            labels: "series,start,end\nacme,2026-09-30T04:00:00Z,2026-09-30T07:00:00Z\n",
            "--sensitivity", sensitivity)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(scores.count == 721 && scores[0] == "series,timestamp,score,flagged,episode")
        let flagged = scores.filter { $0.hasSuffix(",1,1") }
        #expect(flagged.first?.hasPrefix("acme,2026-09-30T04:00:00Z,") == true)
        #expect(result.output.contains("1 anomalies, 1 found"))
        #expect(result.output.contains(#/recall +1\.000/#))
        #expect(result.output.contains(#/median delay, hours +0/#))
    }

    @Test func `daily totals are compared with as many days as it is told`() async throws {
        // Uneven for two weeks, then even, then a little more.
        let rows = (0..<720).map { hour in
            let value = hour < 360 ? [50, 150][hour / 24 % 2] : hour < 696 ? 100 : 110
            let instant = String(
                format: "2026-09-%02dT%02d:00:00Z", hour / 24 + 1, hour % 24)
            return "acme,\(instant),\(value)\n"
        }
        let input = "series,timestamp,value\n" + rows.joined()
        func highest(_ days: String) async throws -> Double {
            let (result, scores) = try await backtest(
                input, "--method", "zscore", "--window-days", days)
            #expect(result.status == 0)
            return scores.dropFirst().compactMap { Double($0.split(separator: ",")[2]) }.max() ?? 0
        }
        #expect(try await highest("7") == 10)
        #expect(try await highest("30") < 2)
    }

    @Test func `a mistake in the input is named, and nothing is written`() async throws {
        let (result, scores) = try await backtest(
            "series,timestamp,value\nacme,2026-09-01T00:00:00Z,1\nacme,2026-09-01T01:00:00Z,many\n")
        #expect(result.status == 65 && result.output.isEmpty && scores.isEmpty)
        #expect(result.errors.contains("line 3, column value"))
        #expect(!result.errors.contains("many"))
    }

    @Test(arguments: [
        ["--threshold", "0"], ["--method", "guess"], ["--sensitivity", "high"],
        ["--window-days", "6"],
    ])
    func `an argument that cannot be is refused`(arguments: [String]) async throws {
        let (result, _) = try await backtest("", arguments[0], arguments[1])
        #expect(result.status == 64)
    }
}
