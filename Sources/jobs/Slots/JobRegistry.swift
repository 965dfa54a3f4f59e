/// Every job that runs unattended. A new one is a command in `Commands` and an entry here.
enum JobRegistry {
    /// Those with slots.
    static let slotted: [any SlotJobCommand.Type] = [
        RunCommand.DetectAnomalies.self, RunCommand.RefreshState.self, RunCommand.Bill.self,
        RunCommand.Reconcile.self,
    ]

    static let descriptions: [JobDescription] =
        continuous + slotted.map { $0.job }

    /// Those without slots.
    private static let continuous = [RunCommand.SealUsage.job, RunCommand.SendAlerts.job]

    /// What should run under these settings, by the names in the history.
    static func expected(_ settings: Settings) -> [(name: String, description: JobDescription)] {
        // Without routes there is nothing to send.
        continuous.filter {
            $0.name != RunCommand.SendAlerts.job.name || !settings.alertRoutes.isEmpty
        }
        .map { ($0.name, $0) }
            + slotted.map { ($0.recordedName(settings), $0.job) }
    }
}
