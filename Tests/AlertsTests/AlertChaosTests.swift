import Alerts
import Glibc
import Ledger
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

/// Processes that die anywhere, services that fail, several processes at once: every alert is told, in order,
/// and what is told twice has the number by which the service folds it.
///
/// `CHAOS_SEEDS` says how many seeds are run.
struct AlertChaosTests {
    private static let seeds: Int = getenv("CHAOS_SEEDS").flatMap { Int(String(cString: $0)) } ?? 50
    private static let workers = 2

    @Test(arguments: 0..<workers)
    func `every alert is told, and twice only under one number`(worker: Int) async throws {
        try await withLedgerPool { pool in
            var died: [AlertRun.Point: Int] = [:]
            for seed in stride(from: worker, to: Self.seeds, by: Self.workers) {
                let chaos = Chaos(pool, seed: UInt64(seed))
                try await chaos.run()
                died.merge(chaos.deaths, uniquingKeysWith: +)
                try await pool.query(
                    "TRUNCATE alerts, alert_deliveries, alert_messages, dead_letters")
            }
            let list = AlertRun.Point.allCases.map { "\(died[$0] ?? 0) after \($0)" }
            print(
                "chaos, alerts, worker \(worker) of \(Self.seeds) seeds: died \(list.joined(separator: ", "))"
            )
            for point in AlertRun.Point.allCases where Self.seeds >= 50 {
                #expect(died[point] ?? 0 > 0, "nobody died after \(point)")
            }
        }
    }
}

private final class Chaos: Sendable {
    private struct Death: Error {}

    private struct State {
        var numbers: SeededNumbers
        var deaths: [AlertRun.Point: Int] = [:]
        var taken: [RecordingServices.Taken] = []
        var chance = 0.0
    }

    private let scene: AlertScene
    private let seed: UInt64
    private let state: Mutex<State>

    var deaths: [AlertRun.Point: Int] { state.withLock { $0.deaths } }

    init(_ pool: PostgresPool, seed: UInt64) {
        scene = AlertScene(pool: pool)
        self.seed = seed
        state = Mutex(State(numbers: SeededNumbers(seed: seed &* 15_485_863)))
    }

    private func random(_ range: Range<Int>) -> Int {
        state.withLock { Int.random(in: range, using: &$0.numbers) }
    }

    private func happens(_ chance: Double) -> Bool {
        state.withLock { Double.random(in: 0..<1, using: &$0.numbers) < chance }
    }

    /// Services that fail, also after they have taken something.
    private struct Services: AlertSending {
        let chaos: Chaos

        func send(_ message: AlertMessage, to route: AlertRoute) async throws {
            let chance = chaos.state.withLock { $0.chance }
            if chaos.happens(chance) { throw AlertFailure.later("away", afterSeconds: 1) }
            chaos.state.withLock {
                $0.taken.append(
                    .init(
                        route: route.name, message: message.id,
                        notes: message.notes.map { "\($0.action.rawValue) \($0.alert.key)" }))
            }
            if chaos.happens(chance) { throw AlertFailure.later("no answer", afterSeconds: nil) }
            if chaos.happens(chance / 8) { throw AlertFailure.refused("404") }
        }
    }

    func run() async throws {
        var people = AlertRoute.people()
        people.digestSeconds = [0, 60][random(0..<2)]
        people.cooldownSeconds = [0, 100][random(0..<2)]
        let routes = [AlertRoute.machine(), people]
        var resolved: Set<Int> = []
        let count = random(3..<12)
        var raised = 0
        for _ in 0..<random(2..<6) {
            let until = min(count, raised + random(0..<6))
            while raised < until {
                try await scene.raise("a\(raised)", subject: "s\(raised % 3)")
                raised += 1
            }
            for number in 0..<raised where happens(0.2) {
                try await scene.resolve("a\(number)")
                resolved.insert(number)
            }
            state.withLock { $0.chance = 0.3 }
            try await processes(routes)
            try await scene.advance(seconds: random(1..<200))
        }
        while raised < count {
            try await scene.raise("a\(raised)")
            raised += 1
        }
        try await calm(routes)
        let taken = state.withLock { $0.taken }
        for route in routes { check(taken.filter { $0.route == route.name }, count, resolved) }
    }

    private func processes(_ routes: [AlertRoute]) async throws {
        let runs = (0..<random(1..<4)).map { _ in
            Task { [self] in _ = try? await drain(routes, deaths: 0.08) }
        }
        for run in runs { await run.value }
    }

    private func calm(_ routes: [AlertRoute]) async throws {
        state.withLock { $0.chance = 0 }
        for _ in 0..<12 {
            _ = try await AlertRecords(pool: scene.pool).retry(alert: nil, by: "test")
            try await scene.advance(seconds: 3601)
            _ = try await drain(routes, deaths: 0)
        }
    }

    private func drain(_ routes: [AlertRoute], deaths: Double) async throws -> AlertSummary {
        try await AlertRun(
            outbox: scene.outbox, routes: routes, sender: Services(chaos: self),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            reached: { [self] point in
                guard happens(deaths) else { return }
                state.withLock { $0.deaths[point, default: 0] += 1 }
                throw Death()
            }
        ).drain()
    }

    private func check(
        _ taken: [RecordingServices.Taken], _ count: Int, _ resolved: Set<Int>
    ) {
        let context = Comment(rawValue: "seed \(seed)")
        var messages: [String: Set<Int64>] = [:]
        var contents: [Int64: Set<[String]>] = [:]
        for item in taken {
            contents[item.message, default: []].insert(item.notes)
            for note in item.notes { messages[note, default: []].insert(item.message) }
        }
        for number in 0..<count {
            #expect(messages["trigger a\(number)"]?.count == 1, context)
            #expect(
                messages["resolve a\(number)"]?.count == (resolved.contains(number) ? 1 : nil),
                context)
            if let first = taken.firstIndex(where: { $0.notes.contains("resolve a\(number)") }) {
                let last = taken.lastIndex { $0.notes.contains("trigger a\(number)") }
                #expect(last.map { $0 < first } ?? false, context)
            }
        }
        // What is folded by its number must say the same each time.
        for content in contents.values { #expect(content.count == 1, context) }
    }
}
