internal import ArgumentParser
internal import Exact

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a job for a slot of time.",
        subcommands: [SealUsage.self, ProcessWebhooks.self, SendAlerts.self] + JobRegistry.slotted)
}

extension CivilMonth: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}
