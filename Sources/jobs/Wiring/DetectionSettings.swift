internal import Detection
internal import Ledger

extension SettingsReader {
    /// `detection.*`: how hours are judged, and what is told of them.
    mutating func detection() throws(SettingsError) -> DetectionPolicy {
        var policy = DetectionPolicy()
        if let method = try choice("detection.method", of: Method.self) {
            policy.detector.method = method
        }
        if let sensitivity = try choice("detection.sensitivity", of: Sensitivity.self) {
            policy.detector.sensitivity = sensitivity
        }
        if let threshold = try number("detection.threshold", in: 0.1...1000) {
            policy.detector.threshold = threshold
        }
        policy.pattern.similarity =
            try number("detection.similarity", in: 0.01...1) ?? policy.pattern.similarity
        policy.pattern.volumeChange =
            try number("detection.volume_change", in: 0.01...100) ?? policy.pattern.volumeChange
        policy.totalDays = try int("detection.window_days", in: 7...30) ?? policy.totalDays
        policy.alertBudget = try int("detection.alert_budget", in: 0...10_000) ?? policy.alertBudget
        policy.warningBudget =
            try int("detection.warning_budget", in: 0...10_000) ?? policy.warningBudget
        policy.fleetShare =
            try number("detection.fleet_share", in: 0.001...1) ?? policy.fleetShare
        policy.snapshotDays = try int("detection.snapshot_days", in: 2...31) ?? policy.snapshotDays
        policy.keptDays = try int("detection.kept_days", in: 30...4000) ?? policy.keptDays
        return policy
    }
}

extension SettingsReader {
    /// `billing.holds*`: what of it holds invoices.
    mutating func anomalyHolds() throws(SettingsError) -> AnomalyHolds {
        var holds = AnomalyHolds()
        holds.rule = try choice("billing.holds", of: AnomalyHolds.Rule.self) ?? holds.rule
        holds.percent = try int("billing.holds_percent", in: 1...100) ?? holds.percent
        holds.minimumMinor =
            try int("billing.holds_minimum_minor", in: 0...99_999_999).map(Int64.init)
            ?? holds.minimumMinor
        return holds
    }
}
