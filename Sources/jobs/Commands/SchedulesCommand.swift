internal import ArgumentParser
internal import Foundation

struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Units for systemd, a crontab, and alert rules, with the right paths.",
        subcommands: [Print.self, Install.self])

    struct Print: StatusCommand {
        static let configuration = CommandConfiguration(abstract: "Print them.")

        @Argument(help: "systemd, crontab or alerts (default: all).") var kind: ScheduleFile.Kind?
        @OptionGroup var places: PlaceOptions

        mutating func runToStatus() async throws -> ExitStatus {
            let places = try places.resolved()
            for kind in kind.map({ [$0] }) ?? ScheduleFile.Kind.allCases {
                for file in ScheduleFile.files(kind, places) {
                    try printLine("# --- \(file.name)")
                    try printLine(file.text)
                }
            }
            return .done
        }
    }

    struct Install: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write them into a folder, replacing those that are there.",
            discussion: """
                  jobs schedules install --dir /etc/systemd/system
                  systemctl daemon-reload
                  systemctl enable --now meterflow-seal-usage.timer meterflow-bill.timer
                """)

        @Argument(help: "systemd, crontab or alerts.") var kind: ScheduleFile.Kind = .systemd
        @Option(name: .long, help: ArgumentHelp("The folder.", valueName: "folder")) var dir: String
        @OptionGroup var places: PlaceOptions

        mutating func runToStatus() async throws -> ExitStatus {
            for file in ScheduleFile.files(kind, try places.resolved()) {
                let path = "\(dir)/\(file.name)"
                do {
                    try Data(file.text.utf8).write(to: URL(filePath: path))
                } catch {
                    throw Failure(.usage, "\(path) cannot be written; is \(dir) a folder of yours?")
                }
                try printLine(path)
            }
            return .done
        }
    }

    struct PlaceOptions: ParsableArguments {
        @Option(
            name: .long, help: ArgumentHelp("The program (default: this one).", valueName: "path"))
        var program: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "The settings file.", valueName: "path"))
        var config = ScheduleFile.Places().config
        @Option(
            name: .long,
            help: ArgumentHelp(
                "A folder with a file for each secret: DATABASE_URL, CLICKHOUSE_URL, ...",
                valueName: "path"))
        var credentials = ScheduleFile.Places().credentials
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Where the jobs write their metrics (default: nowhere).", valueName: "path"))
        var metricsFile: String?

        /// cron and systemd take no relative paths, and give some characters a meaning.
        func resolved() throws -> ScheduleFile.Places {
            let program = try program ?? Self.thisProgram()
            for path in [program, config, credentials] + (metricsFile.map { [$0] } ?? []) {
                guard path.wholeMatch(of: #/(\/[A-Za-z0-9._+@-]+)+/#) != nil else {
                    throw Failure(
                        .usage,
                        "'\(path)' must be an absolute path of letters, digits and . _ + @ - only")
                }
            }
            return ScheduleFile.Places(
                program: program, config: config, credentials: credentials,
                metricsFile: metricsFile)
        }

        private static func thisProgram() throws -> String {
            do {
                return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            } catch {
                throw Failure(.usage, "where this program is cannot be told; add --program")
            }
        }
    }
}

extension ScheduleFile.Kind: ExpressibleByArgument {}
