internal import ArgumentParser
internal import Foundation
internal import Glibc

/// Parses, runs one command, and maps whatever comes out of it to an exit code.
@main
enum Main {
    static func main() async {
        // A reader that went away is an error of a write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        exit(await run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try JobsCommand.parseAsRoot(arguments)
            if var command = command as? any StatusCommand {
                return try await command.runToStatus()
            }
            // What remains only prints help.
            try command.run()
            return .done
        } catch let error as BrokenOutput {
            _ = error
            return .done
        } catch  where isParserError(error) {
            let text = JobsCommand.fullMessage(for: error)
            let isHelp = JobsCommand.exitCode(for: error) == .success
            writeText(text + "\n", to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
            return isHelp ? .done : .usage
        } catch {
            report(error)
            return ExitStatus(error)
        }
    }

    /// Says what went wrong, and what to do about it.
    ///
    /// - Parameter what: it happened to, if the error does not say so.
    static func report(_ error: any Error, of what: String? = nil) {
        let subject = what.map { "\($0): " } ?? ""
        let advice = ExitStatus.advice(for: error).map { "\n\($0)" } ?? ""
        writeText("jobs: \(subject)\(error)\(advice)\n", to: STDERR_FILENO)
    }

    /// Help, version and mistakes in the arguments, as ArgumentParser throws them.
    private static func isParserError(_ error: any Error) -> Bool {
        error is CleanExit || error is ValidationError
            || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }
}

/// A command that ends with one of our exit codes.
protocol StatusCommand: AsyncParsableCommand {
    mutating func runToStatus() async throws -> ExitStatus
}
