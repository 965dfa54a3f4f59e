/// Every job that runs unattended. A new one is a command in `Commands` and an entry here.
enum JobRegistry {
    /// Those with slots.
    static let slotted: [any SlotJobCommand.Type] = [
        RunCommand.DetectAnomalies.self, RunCommand.RefreshState.self,
        RunCommand.CheckPatterns.self, RunCommand.RebuildBaselines.self, RunCommand.Bill.self,
        RunCommand.Reconcile.self, RunCommand.Purge.self,
    ]

    static let descriptions: [JobDescription] = continuous + slotted.map { $0.job }

    /// Those without slots.
    private static let continuous = [
        RunCommand.SealUsage.job, RunCommand.ProcessWebhooks.job, RunCommand.SendAlerts.job,
    ]

    /// What should run under these settings, by the names in the history. In place of process-webhooks and
    /// send-alerts there may be jobs serve.
    static func expected(_ settings: Settings) -> [(name: String, description: JobDescription)] {
        [(RunCommand.SealUsage.job.name, RunCommand.SealUsage.job)]
            + slotted.map { ($0.recordedName(settings), $0.job) }
    }
}
