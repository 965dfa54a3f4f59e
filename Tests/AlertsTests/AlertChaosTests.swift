import Alerts
import Glibc
import Ledger
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

/// Processes that die anywhere, services that fail, several processes at once: every alert is told, in order,
/// and what is told twice has the number by which the service folds it, and says the same.
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

/// What has become of an alert.
private struct Fate {
    var round = 0
    var isCritical = false
    var last = AlertNote.Action.trigger
}

/// Something that was said of an alert.
private struct Said: Hashable, Comparable {
    let alert: String
    let round: Int
    let action: AlertNote.Action

    init(alert: String, round: Int, action: AlertNote.Action) {
        (self.alert, self.round, self.action) = (alert, round, action)
    }

    /// A body says its round.
    init(_ note: AlertNote) {
        let round = Int(note.alert.body.filter(\.isNumber)) ?? 0
        self.init(alert: note.alert.key, round: round, action: note.action)
    }

    /// In which order an alert's are said.
    private var rank: Int {
        round * 3 + (AlertNote.Action.allCases.firstIndex(of: action) ?? 0)
    }

    static func < (left: Said, right: Said) -> Bool { left.rank < right.rank }
}

/// What a service took.
private struct Told {
    let route: String
    let message: Int64
    let said: [Said]
}

private final class Chaos: Sendable {
    private struct Death: Error {}

    private struct State {
        var numbers: SeededNumbers
        var deaths: [AlertRun.Point: Int] = [:]
        var told: [Told] = []
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

        func send(_ message: AlertMessage, to route: AlertRoute) async throws -> String? {
            let chance = chaos.state.withLock { $0.chance }
            if chaos.happens(chance) { throw AlertFailure.later("away", afterSeconds: 1) }
            let told = Told(
                route: route.name, message: message.id, said: message.notes.map(Said.init))
            chaos.state.withLock { $0.told.append(told) }
            if chaos.happens(chance) { throw AlertFailure.later("no answer", afterSeconds: nil) }
            if chaos.happens(chance / 8) { throw AlertFailure.refused("404") }
            return nil
        }
    }

    func run() async throws {
        var machine = AlertRoute.machine()
        machine.messagesPerHour = [5, 60][random(0..<2)]
        var strict = AlertRoute.machine("strict")
        strict.match.severities = [.critical]
        var people = AlertRoute.people()
        people.digestSeconds = [0, 60][random(0..<2)]
        people.cooldownSeconds = [0, 100][random(0..<2)]
        let routes = [machine, strict, people]
        var fates = Array(repeating: Fate(), count: random(3..<12))
        for _ in 0..<random(2..<6) {
            for number in fates.indices { try await change(number, &fates[number]) }
            state.withLock { $0.chance = 0.3 }
            try await processes(routes)
            try await scene.advance(seconds: random(1..<200))
        }
        for number in fates.indices where fates[number].round == 0 {
            try await raise(number, &fates[number])
        }
        try await calm(routes)
        let told = state.withLock { $0.told }
        for route in routes { check(route, told.filter { $0.route == route.name }, fates) }
    }

    /// Perhaps something becomes of an alert.
    private func change(_ number: Int, _ fate: inout Fate) async throws {
        guard fate.round > 0, fate.last != .resolve else {
            if happens(0.4) { try await raise(number, &fate) }
            return
        }
        if happens(0.25) {
            try await scene.resolve("a\(number)")
            fate.last = .resolve
        } else if happens(0.2) {
            try await scene.acknowledge("a\(number)")
            fate.last = .acknowledge
        }
    }

    private func raise(_ number: Int, _ fate: inout Fate) async throws {
        fate = Fate(round: fate.round + 1, isCritical: happens(0.3))
        try await scene.raise(
            "a\(number)", severity: fate.isCritical ? .critical : .warning,
            subject: "s\(number % 3)", body: #"{"round":\#(fate.round)}"#)
    }

    private func processes(_ routes: [AlertRoute]) async throws {
        let runs = (0..<random(1..<4)).map { _ in
            Task { [self] in _ = try? await drain(routes, deaths: 0.08) }
        }
        for run in runs { await run.value }
    }

    /// Until nothing is left to tell.
    private func calm(_ routes: [AlertRoute]) async throws {
        state.withLock { $0.chance = 0 }
        for _ in 0..<60 {
            _ = try await AlertRecords(pool: scene.pool).retry(alert: nil, by: "test")
            try await scene.advance(seconds: 3601)
            _ = try await drain(routes, deaths: 0)
            let backlog = try await scene.outbox.backlog(routes: routes.map(\.name))
            if backlog.waiting + backlog.unrouted + backlog.deadLetters == 0 { return }
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

    private func check(_ route: AlertRoute, _ told: [Told], _ fates: [Fate]) {
        let context = Comment(rawValue: "seed \(seed), \(route.name)")
        var messages: [Said: Set<Int64>] = [:]
        var contents: [Int64: Set<[Said]>] = [:]
        for item in told {
            contents[item.message, default: []].insert(item.said)
            for said in item.said { messages[said, default: []].insert(item.message) }
        }
        #expect(messages.values.allSatisfy { $0.count == 1 }, context)
        // What is folded by its number must say the same each time.
        #expect(contents.values.allSatisfy { $0.count == 1 }, context)
        for (number, fate) in fates.enumerated() {
            let key = "a\(number)"
            let heard = told.flatMap(\.said).filter { $0.alert == key }
            #expect(heard == heard.sorted(), context)
            if route.match.severities.isEmpty || fate.isCritical {
                #expect(
                    heard.contains(Said(alert: key, round: fate.round, action: .trigger)), context)
                #expect(
                    heard.last == Said(alert: key, round: fate.round, action: fate.last), context)
            } else if let last = heard.last, fate.last == .resolve {
                // It was more once, and whoever heard of that hears that it is over.
                #expect(last.action == .resolve, context)
            }
        }
    }
}
