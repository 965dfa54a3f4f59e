internal import Exact
internal import Foundation
internal import Logging

/// Log lines go to stderr: for people on a terminal, one JSON object a line elsewhere.
func makeLogger(_ settings: Settings) -> Logger {
    let isTerminal = isatty(STDERR_FILENO) == 1
    let isJSON = settings.logFormat.map { $0 == .json } ?? !isTerminal
    var logger = Logger(label: "jobs") { _ in LineLogHandler(isJSON: isJSON) }
    let level = settings.logLevel ?? (isTerminal ? .warning : .info)
    logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
    return logger
}

private struct LineLogHandler: LogHandler {
    let isJSON: Bool
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var line: String
        if isJSON {
            line =
                "{\"at\":\"\(Instant.now)\",\"level\":\"\(event.level)\",\"message\":"
                + JSONText.string("\(event.message)")
            for (name, value) in fields {
                line += ",\(JSONText.string(name)):\(JSONText.string("\(value)"))"
            }
            line += "}"
        } else {
            line = "\(event.level): \(event.message)"
            for (name, value) in fields { line += " \(name)=\(value)" }
        }
        writeText(line + "\n", to: STDERR_FILENO)
    }
}
