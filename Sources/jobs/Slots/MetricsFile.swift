internal import Exact
internal import Foundation
internal import Ledger

/// The age of every job's last success, for Prometheus.
enum MetricsFile {
    /// - Parameter expected: the jobs that should run.
    static func samples(
        _ successes: [RunHistory.LastSuccess],
        expected: [(name: String, description: JobDescription)]
    ) -> [LedgerMetrics.Sample] {
        expected.map {
            .init(
                "meterflow_job_alert_after_seconds", labels: label($0.name),
                $0.description.alertAfterSeconds)
        }
            + successes.map {
                .init(
                    "meterflow_job_last_success_timestamp_seconds", labels: label($0.job),
                    $0.succeededAt.unixSeconds)
            }
            + successes.map {
                .init(
                    "meterflow_job_last_success_age_seconds", labels: label($0.job), $0.ageSeconds)
            }
    }

    /// Whoever reads the file meanwhile sees all of it, the old one or the new one.
    static func write(_ text: String, to path: String) throws {
        // The collector takes no notice of it: its name does not end with .prom.
        let temporary = "\(path).\(getpid())"
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o644]
            ),
            rename(temporary, path) == 0
        else {
            let reason = String(cString: strerror(errno))
            try? FileManager.default.removeItem(atPath: temporary)
            throw Failure(.configuration, "\(path) cannot be written: \(reason)")
        }
    }

    /// Not `job`: Prometheus gives that label to whom it asks.
    private static func label(_ job: String) -> String {
        "job_name=\"\(job)\""
    }
}
