import Exact
import Ledger
import Testing

struct CatchUpTests {
    private static let now = Instant("2026-11-22T12:00:00Z")!

    /// Hours, each due when it ends.
    private static func due(_ hours: [Int]) -> [CatchUp.Due] {
        hours.map { hour in
            let slot = Slot("2026-11-22T" + (hour < 10 ? "0\(hour)" : "\(hour)"))!
            return CatchUp.Due(slot: slot, dueAt: slot.end)
        }
    }

    private static func text(_ decision: CatchUp.Decision) -> [String] {
        decision.skipped.map { "-\("\($0.slot)".suffix(2)) \($0.reason.rawValue)" }
            + decision.run.map { "\("\($0)".suffix(2))" }
    }

    @Test(arguments: [
        (CatchUp.all, ["08", "09", "10", "11"]),
        (.latest, ["-08 latest", "-09 latest", "-10 latest", "11"]),
        (CatchUp(maxSlots: 2), ["-08 max_slots", "-09 max_slots", "10", "11"]),
        (CatchUp(maxSlots: 4), ["08", "09", "10", "11"]),
        // Due for exactly as long as is allowed: taken up.
        (CatchUp(maxAgeSeconds: 3600), ["-08 max_age", "-09 max_age", "10", "11"]),
        (CatchUp(maxAgeSeconds: 3599), ["-08 max_age", "-09 max_age", "-10 max_age", "11"]),
        (
            CatchUp(maxSlots: 1, maxAgeSeconds: 7200),
            ["-08 max_age", "-09 latest", "-10 latest", "11"]
        ),
    ])
    func `a policy takes up some of what is due and leaves out the rest, with a reason`(
        policy: CatchUp, expected: [String]
    ) {
        let decision = policy.decide(Self.due([8, 9, 10, 11]), now: Self.now)
        #expect(Self.text(decision) == expected)
        #expect(decision.run.count + decision.skipped.count == 4)
        let nothing = policy.decide([], now: Self.now)
        #expect(nothing.run.isEmpty && nothing.skipped.isEmpty)
    }
}
