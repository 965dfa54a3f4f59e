internal import Logging

/// The pauses between tries: each twice as long as the one before, up to five minutes; and by chance up to
/// half shorter, so that those who failed together do not come again together.
struct Backoff: Sendable {
    private var seconds: Double

    init(firstSeconds: Int) { seconds = Double(firstSeconds) }

    mutating func nextSeconds() -> Double {
        defer { seconds = min(seconds * 2, 300) }
        return seconds * .random(in: 0.5...1)
    }
}

/// Tries again what may pass (69), as often as a slot is tried: for what comes before slots, and between them.
struct Retries: Sendable {
    let job: String
    let settings: Settings
    let logger: Logger
    /// Ends the pauses; `nil`: nothing listens to signals yet.
    let stop: StopRequest?

    func run<Result>(_ body: () async throws -> Result) async throws -> Result {
        var backoff = Backoff(firstSeconds: settings.retrySeconds)
        var number = 1
        while true {
            do {
                return try await body()
            } catch let error
                where ExitStatus(error) == .unavailable && number < settings.attempts
            {
                if isStopping { throw error }
                logger.warning(
                    "trying again", metadata: ["job": "\(job)", "error": "\(error)"])
                await pause(seconds: backoff.nextSeconds())
                if isStopping { throw error }
            }
            number += 1
        }
    }

    private var isStopping: Bool { Task.isCancelled || stop?.isRequested == true }

    private func pause(seconds: Double) async {
        guard let stop else {
            try? await Task.sleep(for: .seconds(seconds))
            return
        }
        try? await stop.cancelling { try await Task.sleep(for: .seconds(seconds)) }
    }
}
