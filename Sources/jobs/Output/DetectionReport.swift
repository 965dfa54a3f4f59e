internal import Detection
internal import Ledger

/// What a job of detection came to.
protocol DetectionReport: Sendable {
    var json: String { get }
    var status: ExitStatus { get }
    /// For people.
    func lines(_ title: String) -> [String]
}

extension DetectionSummary: DetectionReport {
    var status: ExitStatus {
        lacksBaselines || hasExpiredBaselines ? .needsAPerson : .done
    }

    func lines(_ title: String) -> [String] {
        var lines = [
            "\(title)  \(grouped(series)) series, \(grouped(hours)) hours: "
                + "\(grouped(anomalies.new)) new, \(grouped(anomalies.changed)) go on, "
                + "\(grouped(anomalies.recovered)) over, \(grouped(anomalies.withdrawn)) withdrawn"
        ]
        if lateSeries > 0 || tooLateHours > 0 {
            lines.append(
                "late data   \(grouped(lateSeries)) series judged anew; "
                    + "\(grouped(tooLateHours)) hours are too old for that")
        }
        if missingHours > 0 {
            lines.append(
                "missing     \(grouped(missingHours)) hours without any usage: check the exporter")
        }
        if fleetShifts > 0 {
            lines.append("fleet       \(grouped(fleetShifts)) shifts of many customers at once")
        }
        if unrecordedWarnings > 0 {
            lines.append(
                "warnings    \(grouped(unrecordedWarnings)) more unusual days, none of them critical"
            )
        }
        if lacksBaselines {
            lines.append("baselines   there are none: jobs run rebuild-baselines")
        }
        if hasExpiredBaselines {
            lines.append(
                "baselines   the active version has expired, and nothing was judged by it: "
                    + "jobs run rebuild-baselines, or jobs detect baselines promote a later one")
        }
        return lines
    }
}

extension BaselineSummary: DetectionReport {
    var status: ExitStatus { drifted > 0 ? .needsAPerson : .done }

    func lines(_ title: String) -> [String] {
        var lines = [
            "\(title)  version \(version): \(grouped(series)) series, \(grouped(baselines)) weekdays"
        ]
        if drifted > 0 {
            lines.append(
                "drifted     \(grouped(drifted)) keep what was in force: jobs detect baselines drifted"
            )
        }
        if !isPromoted {
            lines.append(
                "refused     too much has drifted at once: jobs detect baselines promote \(version)"
            )
        }
        return lines
    }
}
