import Billing
import Foundation
import StripeSimulation
import Synchronization

/// The process is gone: nothing that it was about to do happens any more.
struct Crash: Error {}

/// What goes wrong on the side of the program.
struct Mishaps: Sendable {
    /// From 0 to 1, for each request and each of the three places around it.
    var crash = 0.0
    /// The program stops just before it sends, for as long as `Pauses` says.
    var pause = 0.0
}

/// Programs that stand still with a request in hand, until they are let go on.
final class Pauses: Sendable {
    private let state = Mutex<(isOver: Bool, waiting: [CheckedContinuation<Void, Never>])>(
        (false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }

    /// Lets all go on, and those who come later pass.
    func end() {
        let all = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in all { continuation.resume() }
    }
}

/// Stripe in this process, as one run of the program sees it.
final class SimulatedTransport: StripeTransport {
    private let simulator: StripeSimulator
    private let mishaps: Mishaps
    private let pauses: Pauses
    private let state: Mutex<(numbers: SeededNumbers, isDead: Bool)>
    /// What this run sent, in order: step by step, for tests that count.
    let sent = Mutex<[StripeCall]>([])

    init(
        _ simulator: StripeSimulator, seed: UInt64 = 0, mishaps: Mishaps = Mishaps(),
        pauses: Pauses = Pauses()
    ) {
        self.simulator = simulator
        self.mishaps = mishaps
        self.pauses = pauses
        state = Mutex((SeededNumbers(seed: seed), false))
    }

    func awaitTurn(of call: StripeCall) async throws {
        try mayCrash()
    }

    func send(_ call: StripeCall) async throws -> StripeResponse {
        sent.withLock { $0.append(call) }
        try mayCrash()
        let pauses = state.withLock { Double.random(in: 0..<1, using: &$0.numbers) < mishaps.pause }
        if pauses { await self.pauses.wait() }
        let outcome = simulator.respond(
            to: SimulatedRequest(
                method: call.method, path: call.path, query: call.query,
                body: Array((call.body ?? "").utf8), authorization: "Bearer sk_test_simulator",
                idempotencyKey: call.idempotencyKey, version: "2026-10-28.endive"))
        try mayCrash()
        guard outcome.transport == .whole else { throw StripeUnreachable("no answer") }
        let response = outcome.response
        return StripeResponse(
            status: response.status, requestID: response["Request-Id"],
            isReplayed: response["Idempotent-Replayed"] == "true",
            shouldRetry: response["Stripe-Should-Retry"].map { $0 == "true" },
            isRateLimited: response["Stripe-Rate-Limited-Reason"] != nil, body: response.body)
    }

    private func mayCrash() throws {
        let isDead = state.withLock { state in
            if Double.random(in: 0..<1, using: &state.numbers) < mishaps.crash {
                state.isDead = true
            }
            return state.isDead
        }
        if isDead { throw Crash() }
    }
}

/// SplitMix64: the same seed, the same numbers.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
