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

    /// What should run under these settings, by the names in the history. `jobs serve` does what
    /// process-webhooks and send-alerts do, and records it as theirs.
    static func expected(_ settings: Settings) -> [(name: String, description: JobDescription)] {
        var jobs = [RunCommand.SealUsage.job]
        if settings.billingMode == .live { jobs.append(RunCommand.ProcessWebhooks.job) }
        if !settings.alertRoutes.isEmpty { jobs.append(RunCommand.SendAlerts.job) }
        return jobs.map { ($0.name, $0) } + slotted.map { ($0.recordedName(settings), $0.job) }
    }
}
