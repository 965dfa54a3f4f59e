package import Ledger
package import Logging

/// How many messages came to which end.
package struct AlertSummary: Sendable, Equatable {
    /// Alerts for which routes were chosen.
    package var routed = 0
    package var delivered = 0
    /// Tried again later.
    package var failed = 0
    /// Given up until a person looks.
    package var dead = 0

    package init() {}
}

/// Tells each route what it has to hear. Several processes may: each message is with one at a time.
package struct AlertRun: Sendable {
    /// Where a process may die: the tests let it.
    package enum Point: CaseIterable, Sendable {
        case routed, composed, taken, sent, settled
    }

    private let outbox: AlertOutbox
    private let routes: [AlertRoute]
    private let sender: any AlertSending
    private let logger: Logger
    private let reached: @Sendable (Point) throws -> Void

    /// After that many attempts, over about a day, a message is given up.
    static let maximumAttempts = 30

    package init(
        outbox: AlertOutbox, routes: [AlertRoute], sender: any AlertSending, logger: Logger,
        reached: @escaping @Sendable (Point) throws -> Void = { _ in }
    ) {
        self.outbox = outbox
        self.routes = routes
        self.sender = sender
        self.logger = logger
        self.reached = reached
    }

    /// Works until nothing is due. Without any route, alerts wait for one.
    ///
    /// - Parameter isStopping: asked before each message: whether to begin no more.
    package func drain(
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) async throws -> AlertSummary {
        var summary = AlertSummary()
        guard !routes.isEmpty else { return summary }
        while case let count = try await outbox.route(
            among: routes.map(\.name),
            accepting: { [routes] alert in
                routes.filter { $0.match.accepts(alert) }.map(\.name)
            }), count > 0
        {
            summary.routed += count
            try reached(.routed)
        }
        // A service that is slow holds up its own messages only.
        return try await withThrowingTaskGroup(of: AlertSummary.self) { group in
            for route in routes {
                group.addTask { try await drain(route, isStopping) }
            }
            for try await part in group {
                summary.delivered += part.delivered
                summary.failed += part.failed
                summary.dead += part.dead
            }
            return summary
        }
    }

    private func drain(
        _ route: AlertRoute, _ isStopping: @Sendable () -> Bool
    ) async throws -> AlertSummary {
        var pace = AlertOutbox.Pace()
        pace.mostNotes = route.channel.mostNotes
        if let quiet = route.quietHours { pace.isQuiet = quiet.contains(try await outbox.now()) }
        pace.cooldownSeconds = Int64(route.cooldownSeconds)
        pace.digestSeconds = Int64(route.digestSeconds)
        pace.messagesPerHour = route.messagesPerHour
        var summary = AlertSummary()
        while !isStopping() {
            if try await outbox.compose(route.name, pace) { try reached(.composed) }
            guard let message = try await outbox.take(route.name) else { break }
            try reached(.taken)
            try await send(message, route, &summary)
        }
        return summary
    }

    private func send(
        _ message: AlertMessage, _ route: AlertRoute, _ summary: inout AlertSummary
    ) async throws {
        let missed: String?
        do {
            missed = try await sender.send(message, to: route)
        } catch let failure as AlertFailure {
            return try await fail(message, route, failure, &summary)
        }
        if let missed {
            logger.warning(
                "an alert did not reach everybody",
                metadata: [
                    "route": "\(route.name)", "message": "\(message.id)", "why": "\(missed)",
                ])
        }
        try reached(.sent)
        try await outbox.settle(message, note: missed)
        try reached(.settled)
        summary.delivered += 1
    }

    private func fail(
        _ message: AlertMessage, _ route: AlertRoute, _ failure: AlertFailure,
        _ summary: inout AlertSummary
    ) async throws {
        let (text, seconds): (String, Int?) =
            switch failure {
            case .refused(let text): (text, nil)
            case .later(let text, let after):
                (
                    text,
                    message.attempts < Self.maximumAttempts
                        ? max(Self.delaySeconds(after: message.attempts), min(after ?? 0, 3600))
                        : nil
                )
            }
        let metadata: Logger.Metadata = [
            "route": "\(route.name)", "message": "\(message.id)", "why": "\(text)",
        ]
        if let seconds {
            logger.warning("an alert waits", metadata: metadata)
            try await outbox.postpone(message, seconds: seconds, note: text)
            summary.failed += 1
        } else {
            logger.error("an alert was given up", metadata: metadata)
            try await outbox.bury(message, reason: text)
            summary.dead += 1
        }
    }

    /// 5, 10, 20 seconds and so on, at most an hour.
    static func delaySeconds(after attempts: Int) -> Int {
        min(5 << min(attempts - 1, 10), 3600)
    }
}
