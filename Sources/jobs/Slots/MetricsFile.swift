internal import Exact
internal import Foundation
internal import Ledger

/// The age of every job's last success, in Prometheus' text format.
enum MetricsFile {
    /// - Parameter expected: the jobs that should run.
    static func text(
        _ successes: [RunHistory.LastSuccess],
        expected: [(name: String, description: JobDescription)]
    ) -> String {
        var text = """
            # HELP meterflow_job_alert_after_seconds From which age of the last success on something is wrong.
            # TYPE meterflow_job_alert_after_seconds gauge

            """
        for job in expected {
            text +=
                "meterflow_job_alert_after_seconds\(label(job.name)) \(job.description.alertAfterSeconds)\n"
        }
        text += """
            # HELP meterflow_job_last_success_timestamp_seconds When a job last succeeded, by the ledger's clock.
            # TYPE meterflow_job_last_success_timestamp_seconds gauge

            """
        for success in successes {
            text +=
                "meterflow_job_last_success_timestamp_seconds\(label(success.job)) \(success.succeededAt.unixSeconds)\n"
        }
        text += """
            # HELP meterflow_job_last_success_age_seconds How old that was when this was written.
            # TYPE meterflow_job_last_success_age_seconds gauge

            """
        for success in successes {
            text +=
                "meterflow_job_last_success_age_seconds\(label(success.job)) \(success.ageSeconds)\n"
        }
        return text
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
        "{job_name=\"\(job)\"}"
    }
}
