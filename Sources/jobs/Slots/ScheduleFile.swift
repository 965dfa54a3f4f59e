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
            """
            # \(job.name): \(job.summary)
            \(job.timer.cron) m=$(\(places.command(job)) 2>&1 >/dev/null); [ $? -eq 75 ] || [ -z "$m" ] || echo "$m"

            """
        }
        return ScheduleFile(
            name: "crontab",
            text: """
                # MeterFlow, for `crontab FILE`. What a job does follows from the ledger and not from the minute at
                # which it is launched: late, twice, on two hosts, or not for days, the outcome is the same. Mail
                # comes with warnings and errors only, and not from a run that finds another one at work (75).
                # The times are in UTC. Debian's cron knows no CRON_TZ: set the host's time zone to UTC, or cron's
                # (systemctl edit cron.service: [Service] Environment=TZ=UTC).
                LOG_LEVEL=warning
                LOG_FORMAT=human
                # A file for each secret: DATABASE_URL, CLICKHOUSE_URL, STRIPE_API_KEY, and those of alerts.routes.
                CREDENTIALS_DIRECTORY=\(places.credentials)

                \(lines.joined(separator: "\n"))
                """)
    }

    /// What to watch, and from when on to worry, is in the metrics themselves.
    private static let alerts = ScheduleFile(
        name: "alerts.yaml",
        text: """
            # Prometheus rules over the file that --metrics-file writes, read by node_exporter's textfile collector, and
            # over /metrics of jobs serve. Several hosts say the same of one ledger: the highest value counts, and the file
            # of a host that does nothing any more must go. Who watches several ledgers adds a label.
            groups:
              - name: meterflow
                rules:
                  - alert: MeterFlowJobOverdue
                    expr: time() - max by (job_name) (meterflow_job_last_success_timestamp_seconds) > max by (job_name) (meterflow_job_alert_after_seconds)
                    for: 10m
                    labels: {severity: critical}
                    annotations:
                      summary: "{{ $labels.job_name }} has not succeeded for {{ $value | humanizeDuration }}"
                      description: "jobs runs list --job {{ $labels.job_name }} says what became of it; running it again is always safe."
                  - alert: MeterFlowJobNeverSucceeded
                    expr: (max by (job_name) (meterflow_job_alert_after_seconds) < 86400) unless max by (job_name) (meterflow_job_last_success_timestamp_seconds)
                    for: 2h
                    labels: {severity: critical}
                    annotations:
                      summary: "{{ $labels.job_name }} has never succeeded"
                      description: "Is its timer enabled? systemctl list-timers 'meterflow-*'"
                  # Launched once a day, and the first launch takes up what is due.
                  - alert: MeterFlowDailyJobNeverSucceeded
                    expr: (max by (job_name) (meterflow_job_alert_after_seconds) >= 86400 < 2419200) unless max by (job_name) (meterflow_job_last_success_timestamp_seconds)
                    for: 2d
                    labels: {severity: critical}
                    annotations:
                      summary: "{{ $labels.job_name }} has never succeeded, and two days have passed"
                      description: "Is its timer enabled? systemctl list-timers 'meterflow-*'"
                  # Its first month may have to end first.
                  - alert: MeterFlowMonthlyJobNeverSucceeded
                    expr: (max by (job_name) (meterflow_job_alert_after_seconds) >= 2419200) unless max by (job_name) (meterflow_job_last_success_timestamp_seconds)
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
                    expr: max by (kind) (meterflow_dead_letters) > 0
                    for: 5m
                    labels: {severity: warning}
                    annotations:
                      summary: "{{ $value }} of kind {{ $labels.kind }} were given up"
                      description: "jobs dead-letters list says why; mend it, then: jobs dead-letters retry ID"
                  - alert: MeterFlowAlertsWait
                    expr: max(meterflow_alert_oldest_waiting_seconds) > 93600
                    for: 10m
                    labels: {severity: critical}
                    annotations:
                      summary: "an alert has waited for {{ $value | humanizeDuration }}"
                      description: "Does jobs serve or jobs run send-alerts run? jobs alerts list says which waits, jobs alerts test ROUTE whether its route works."
                  - alert: MeterFlowWebhooksWait
                    expr: max(meterflow_webhook_oldest_pending_seconds) > 900
                    for: 10m
                    labels: {severity: warning}
                    annotations:
                      summary: "an event of Stripe has waited for {{ $value | humanizeDuration }}"
                      description: "Does jobs serve run? jobs webhooks list --state pending says what was tried."
                  - alert: MeterFlowWebhooksRefused
                    expr: sum by (instance) (increase(meterflow_webhook_requests_total{result="wrong_signature"}[30m])) > 5
                    for: 5m
                    labels: {severity: warning}
                    annotations:
                      summary: "requests to the webhook endpoint are signed by nobody that is known here"
                      description: "Is the endpoint's secret in STRIPE_WEBHOOK_SECRETS? Meanwhile events are found in Stripe's list."
                  - alert: MeterFlowBackfillStale
                    expr: time() - meterflow_webhook_backfill_timestamp_seconds > 3600
                    for: 10m
                    labels: {severity: critical}
                    annotations:
                      summary: "Stripe's list of events was not read for {{ $value | humanizeDuration }}"
                      description: "The log of jobs serve says why; jobs doctor tries the key. Events wait there for 30 days."
                  - alert: MeterFlowPostgresDown
                    expr: meterflow_postgres_up == 0
                    for: 5m
                    labels: {severity: critical}
                    annotations:
                      summary: "the ledger does not answer jobs serve on {{ $labels.instance }}"
                      description: "Stripe tries its events again meanwhile. jobs doctor says what Postgres answers."
                  - alert: MeterFlowBillingPaused
                    expr: max(meterflow_billing_paused) > 0
                    for: 24h
                    labels: {severity: warning}
                    annotations:
                      summary: "billing has been paused for more than a day"
                      description: "jobs billing status says by whom, and why; jobs billing resume ends it."
                  - alert: MeterFlowSealingLate
                    expr: max(meterflow_sealing_age_seconds) > 86400
                    for: 10m
                    labels: {severity: warning}
                    annotations:
                      summary: "no usage has been sealed for {{ $value | humanizeDuration }}"
                      description: "Either no events come into the log, or seal-usage fails: jobs doctor says which."
                  - alert: MeterFlowQuarantineGrows
                    expr: max(meterflow_quarantined_rows) > max(meterflow_quarantined_rows offset 1h)
                    for: 10m
                    labels: {severity: warning}
                    annotations:
                      summary: "{{ $value }} rows of usage cannot be billed, and they become more"
                      description: "jobs usage show --only quarantined lists them with their reasons; their customers' invoices are held."

            """)
}
