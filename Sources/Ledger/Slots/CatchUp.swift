package import Exact

/// Which of the slots that are due a job takes up, and which it leaves out.
package struct CatchUp: Sendable, Hashable {
    /// Why a slot was left out.
    package enum SkipReason: String, Sendable, CaseIterable {
        /// Only the newest slot counts.
        case latest
        /// There were more of them.
        case maxSlots = "max_slots"
        /// It had been due for too long.
        case maxAge = "max_age"
    }

    /// The most slots, the newest ones; `nil`: any number.
    package var maxSlots: Int?
    /// The longest time for which a slot may have been due; `nil`: any.
    package var maxAgeSeconds: Int64?

    package init(maxSlots: Int? = nil, maxAgeSeconds: Int64? = nil) {
        precondition(maxSlots ?? 1 > 0 && maxAgeSeconds ?? 1 > 0)
        (self.maxSlots, self.maxAgeSeconds) = (maxSlots, maxAgeSeconds)
    }

    package static let all = CatchUp()
    package static let latest = CatchUp(maxSlots: 1)

    /// A slot that is due and not done.
    package struct Due: Sendable, Hashable {
        package let slot: Slot
        package let dueAt: Instant

        package init(slot: Slot, dueAt: Instant) {
            (self.slot, self.dueAt) = (slot, dueAt)
        }
    }

    package struct Decision: Sendable {
        package var run: [Slot] = []
        package var skipped: [(slot: Slot, reason: SkipReason)] = []
    }

    /// Every slot is taken up or skipped; none is forgotten.
    ///
    /// - Parameter due: oldest first.
    package func decide(_ due: [Due], now: Instant) -> Decision {
        var decision = Decision()
        for (index, item) in due.enumerated() {
            let age = (now.milliseconds - item.dueAt.milliseconds) / 1000
            if let maxAgeSeconds, age > maxAgeSeconds {
                decision.skipped.append((item.slot, .maxAge))
            } else if let maxSlots, due.count - index > maxSlots {
                decision.skipped.append((item.slot, maxSlots == 1 ? .latest : .maxSlots))
            } else {
                decision.run.append(item.slot)
            }
        }
        return decision
    }
}
