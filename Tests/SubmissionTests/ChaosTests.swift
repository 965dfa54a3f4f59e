import Billing
import Glibc
import Ledger
import StripeSimulation
import TestSupport
import Testing

/// Runs that are killed, paused and doubled, a Stripe that fails in every way it knows, and clocks that
/// jump: whatever happens, each customer has one right invoice in the end.
///
/// `CHAOS_SEEDS` says how many seeds are run; `make chaos` sets it.
struct ChaosTests {
    private static let seeds: Int = getenv("CHAOS_SEEDS").flatMap { Int(String(cString: $0)) } ?? 50
    private static let workers = 2

    @Test(arguments: 0..<workers)
    func `each customer has one right invoice in the end`(worker: Int) async throws {
        try await withLedger { ledger in
            var covered: [String: Int] = [:]
            for seed in stride(from: worker, to: Self.seeds, by: Self.workers) {
                var chaos = try Chaos(ledger, seed: UInt64(seed))
                try await chaos.run()
                for (name, count) in try await ledger.covered() {
                    covered[name, default: 0] += count
                }
                try await ledger.clear()
            }
            let list = covered.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            print("chaos, worker \(worker) of \(Self.seeds) seeds: \(list.joined(separator: ", "))")
        }
    }
}

/// One seed.
private struct Chaos {
    private let scene: Scene
    private let seed: UInt64
    private var numbers: SeededNumbers
    /// A day passed while requests were on their way: Stripe forgot their keys, and a mail that is asked
    /// for then may be the second one. A charge may not.
    private var dayHasPassed = false

    init(_ ledger: TestLedger, seed: UInt64) throws {
        scene = try Scene(ledger)
        self.seed = seed
        numbers = SeededNumbers(seed: seed &* 7_919)
    }

    mutating func run() async throws {
        var customers: [TestLedger.Planned] = []
        for (index, amounts) in [[1_000, 250], [700], Array(repeating: 77, count: 14)].enumerated()
        {
            customers.append(
                try await scene.add(
                    "c\(seed)_\(index)", isMailed: index != 1, amounts: amounts.map(Int64.init)))
        }
        try await trouble(customers)
        try await calm(customers)
        for customer in customers {
            try await scene.expectExactlyOnce(
                customer, mostMailings: dayHasPassed ? 2 : 1, "seed \(seed)")
        }
        let pending: Int = try await scene.ledger.value(
            """
            SELECT count(*) AS value FROM stripe_requests JOIN invoices USING (invoice_id)
            WHERE customer_id = ANY ($1::text[]) AND outcome IS NULL
            """, [customers.map(\.customerID)])
        #expect(pending == 0, "seed \(seed): every request has an outcome")
    }

    /// Some rounds of runs side by side, and what else may happen in between.
    private mutating func trouble(_ customers: [TestLedger.Planned]) async throws {
        for round in 0..<Int.random(in: 2...6, using: &numbers) {
            let pauses = Pauses()
            scene.simulator.set(
                FaultChance(
                    seed: numbers.next(), chance: Double.random(in: 0...0.7, using: &numbers),
                    faults: Fault.Kind.allCases.map { Fault($0) }))
            let runs = (0..<Int.random(in: 1...3, using: &numbers)).map { number in
                let transport = SimulatedTransport(
                    scene.simulator, seed: numbers.next(),
                    mishaps: Mishaps(
                        crash: Double.random(in: 0...0.15, using: &numbers),
                        pause: Double.random(in: 0...0.05, using: &numbers)), pauses: pauses)
                return Task { [scene] in
                    _ = try? await scene.run(
                        customers, through: transport, name: "\(round).\(number)")
                }
            }
            try await meanwhile()
            pauses.end()
            for run in runs { await run.value }
        }
    }

    private mutating func meanwhile() async throws {
        for _ in 0..<Int.random(in: 0...3, using: &numbers) {
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: try await scene.advance(seconds: 100)
            case 1:
                dayHasPassed = true
                try await scene.advance(seconds: 25 * 3600)
            case 2: scene.simulator.release(scene.simulator.heldNumbers.shuffled(using: &numbers))
            case 3: try await scene.ledger.retryDeadLetters()
            default: await Task.yield()
            }
        }
    }

    /// Nothing fails any more; the operator runs the job again until nothing is left to do.
    private func calm(_ customers: [TestLedger.Planned]) async throws {
        scene.simulator.set(nil)
        for _ in 0..<12 {
            try await scene.advance(seconds: 100)
            scene.simulator.release(scene.simulator.heldNumbers)
            try await scene.ledger.retryDeadLetters()
            try await scene.run(customers, name: "calm")
        }
    }
}
