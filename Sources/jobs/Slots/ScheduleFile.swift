/// A file that makes a scheduler launch the jobs, or a monitor watch them.
struct ScheduleFile: Sendable {
    let name: String
    let text: String

    enum Kind: String, CaseIterable, Sendable {
        case systemd
        case crontab
        case alerts
    }

    /// Where things are on the machine that runs the jobs.
    struct Places: Sendable {
        var program = "/usr/local/bin/jobs"
        var config = "/etc/meterflow/jobs.yaml"
        /// A folder with a file for each secret, named like its setting.
        var credentials = "/etc/meterflow/credentials"
        /// `nil`: no metrics are written.
        var metricsFile: String?

        /// As systemd and cron run it.
        func command(_ job: JobDescription) -> String {
            let metrics = metricsFile.map { " --metrics-file \($0)" } ?? ""
            return "\(program) run \(job.name) --config \(config)\(metrics)"
        }

        var serverCommand: String { "\(program) serve --config \(config)" }
    }

    static func files(_ kind: Kind, _ places: Places) -> [ScheduleFile] {
        let jobs = JobRegistry.descriptions
        return switch kind {
        case .systemd:
            jobs.flatMap { [SystemdUnit.service($0, places), SystemdUnit.timer($0)] }
                + [SystemdUnit.server(places), SystemdUnit.failure]
        case .crontab: [crontab(jobs, places)]
        case .alerts: [alerts]
        }
    }

    private static func crontab(
        _ jobs: [JobDescription], _ places: Places
    ) -> ScheduleFile {
        let lines = jobs.map { job in
            "# \(job.name): \(job.summary)\n\(job.timer.cron) \(places.command(job)) >/dev/null\n"
        }
        return ScheduleFile(
            name: "crontab",
            text: """
                # MeterFlow, for `crontab FILE`. What a job does follows from the ledger and not from the minute at
                # which it is launched: late, twice, on two hosts, or not for days, the outcome is the same. Mail
                # comes with warnings and errors only. Secrets: DATABASE_URL_FILE and CLICKHOUSE_URL_FILE.
                LOG_LEVEL=warning
                LOG_FORMAT=human
                DATABASE_URL_FILE=\(places.credentials)/DATABASE_URL
                CLICKHOUSE_URL_FILE=\(places.credentials)/CLICKHOUSE_URL
                # In live mode, too:
                # STRIPE_API_KEY_FILE=\(places.credentials)/STRIPE_API_KEY

                \(lines.joined(separator: "\n"))
                """)
    }

    /// What to watch, and from when on to worry, is in the metrics themselves.
    private static let alerts = ScheduleFile(
        name: "alerts.yaml",
        text: """
            # Prometheus rules over the file that --metrics-file writes, read by node_exporter's textfile collector.
            groups:
              - name: meterflow
                rules:
                  - alert: MeterFlowJobOverdue
                    expr: time() - meterflow_job_last_success_timestamp_seconds > on (job_name, instance) meterflow_job_alert_after_seconds
                    for: 10m
                    labels: {severity: critical}
                    annotations:
                      summary: "{{ $labels.job_name }} has not succeeded for {{ $value | humanizeDuration }}"
                      description: "jobs runs list --job {{ $labels.job_name }} says what became of it; running it again is always safe."
                  - alert: MeterFlowJobNeverSucceeded
                    expr: (meterflow_job_alert_after_seconds < 604800) unless on (job_name, instance) meterflow_job_last_success_timestamp_seconds
                    for: 1h
                    labels: {severity: critical}
                    annotations:
                      summary: "{{ $labels.job_name }} has never succeeded"
                      description: "Is its timer enabled? systemctl list-timers 'meterflow-*'"
                  - alert: MeterFlowMonthlyJobNeverSucceeded
                    expr: (meterflow_job_alert_after_seconds >= 604800) unless on (job_name, instance) meterflow_job_last_success_timestamp_seconds
                    for: 34d
                    labels: {severity: critical}
                    annotations:
                      summary: "{{ $labels.job_name }} has never succeeded, and a month has passed"
                      description: "Is its timer enabled? systemctl list-timers 'meterflow-*'"
                  - alert: MeterFlowSilent
                    expr: absent(meterflow_job_alert_after_seconds)
                    for: 1h
                    labels: {severity: critical}
                    annotations:
                      summary: "no job writes its metrics"
                      description: "No job is launched with --metrics-file, or the file is not collected."
                  - alert: MeterFlowDeadLetters
                    expr: sum by (kind, instance) (meterflow_dead_letters) > 0
                    for: 5m
                    labels: {severity: warning}
                    annotations:
                      summary: "{{ $value }} of kind {{ $labels.kind }} were given up"
                      description: "jobs dead-letters list says why; mend it, then: jobs dead-letters retry ID"
                  - alert: MeterFlowAlertsWait
                    expr: meterflow_alert_oldest_waiting_seconds > 93600
                    for: 10m
                    labels: {severity: critical}
                    annotations:
                      summary: "an alert has waited for {{ $value | humanizeDuration }}"
                      description: "jobs alerts list says which, and jobs alerts test ROUTE whether its route works."
                  - alert: MeterFlowWebhooksWait
                    expr: meterflow_webhook_oldest_pending_seconds > 900
                    for: 10m
                    labels: {severity: warning}
                    annotations:
                      summary: "an event of Stripe has waited for {{ $value | humanizeDuration }}"
                      description: "Does jobs serve run? jobs webhooks list --state pending says what was tried."

            """)
}
