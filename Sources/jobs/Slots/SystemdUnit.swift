/// Units for systemd: a service and a timer a job.
enum SystemdUnit {
    /// Longer than the grace that the program gives itself (`run.stop_grace_seconds`, 30).
    private static let stopSeconds = 45

    static func service(_ job: JobDescription, _ places: ScheduleFile.Places) -> ScheduleFile {
        ScheduleFile(
            name: "meterflow-\(job.name).service",
            text: """
                [Unit]
                Description=MeterFlow: \(job.summary)
                Wants=network-online.target
                After=network-online.target
                OnFailure=meterflow-failure@%n.service
                \(startLimit(job))
                [Service]
                Type=oneshot
                ExecStart=\(places.command(job))
                # Another run holds it, or it was asked to stop: no failure.
                SuccessExitStatus=75
                \(times(job))
                # SIGTERM: what is at hand is given back, and resumed by the next run.
                TimeoutStopSec=\(stopSeconds)
                MemoryMax=\(job.timer.memoryMax)
                TasksMax=128
                LimitNOFILE=65536

                LoadCredential=DATABASE_URL:\(places.credentials)/DATABASE_URL
                LoadCredential=CLICKHOUSE_URL:\(places.credentials)/CLICKHOUSE_URL
                # These need not be there: a blank one is none.
                LoadCredential=STRIPE_API_KEY:\(places.credentials)/STRIPE_API_KEY
                SetCredential=STRIPE_API_KEY:\\n
                LoadCredential=PING_URL:\(places.credentials)/PING_URL
                SetCredential=PING_URL:\\n

                \(user)\(folders(job, places))\(hardening)
                """)
    }

    /// Every start counts, also a timer's. A job that is launched every few minutes would soon use up any limit;
    /// of another one, ten starts in half an hour are one launch that was tried again and again.
    private static func startLimit(_ job: JobDescription) -> String {
        job.cadence == nil
            ? "StartLimitIntervalSec=0\n"
            : """
            StartLimitIntervalSec=1800
            StartLimitBurst=10

            """
    }

    /// How long it may run, and when it is started again.
    private static func times(_ job: JobDescription) -> String {
        guard job.cadence != nil else {
            return """
                # Its timer soon starts it again, whatever became of it. It ends by itself before this.
                TimeoutStartSec=\(job.timeoutSeconds + 300)
                """
        }
        return """
            # A database that is away may come back.
            Restart=on-failure
            RestartPreventExitStatus=1 64 65 70 77 78
            RestartSec=60
            # The program ends a slot that takes too long; a launch may have many to catch up on.
            TimeoutStartSec=infinity
            """
    }

    /// One that exists only meanwhile, the same for all units, unless the machine has one of that name.
    private static let user = "DynamicUser=yes\nUser=meterflow\n"

    /// /var/log/meterflow, for routes of type `file`.
    private static let logs = "LogsDirectory=meterflow\n"

    /// What it writes outside of the databases.
    private static func folders(_ job: JobDescription, _ places: ScheduleFile.Places) -> String {
        var lines = job.name == RunCommand.SendAlerts.job.name ? logs : ""
        if let file = places.metricsFile {
            let folder = file.split(separator: "/").dropLast().joined(separator: "/")
            // One that is not there keeps no job from running.
            lines += "SupplementaryGroups=meterflow-metrics\nReadWritePaths=-/\(folder)\n"
        }
        return lines
    }

    /// `jobs serve`, which runs all the time.
    static func server(_ places: ScheduleFile.Places) -> ScheduleFile {
        ScheduleFile(
            name: "meterflow-serve.service",
            text: """
                [Unit]
                Description=MeterFlow: receive Stripe's webhooks, and show the page
                Wants=network-online.target
                After=network-online.target
                StartLimitIntervalSec=0

                [Service]
                Type=exec
                ExecStart=\(places.serverCommand)
                # Stripe tries again what is refused meanwhile, and its list of events is read, too.
                Restart=on-failure
                RestartPreventExitStatus=64 77 78
                RestartSec=5
                # SIGTERM: what was begun is ended.
                TimeoutStopSec=\(stopSeconds)
                MemoryMax=1G
                TasksMax=128
                LimitNOFILE=65536

                LoadCredential=DATABASE_URL:\(places.credentials)/DATABASE_URL
                LoadCredential=STRIPE_API_KEY:\(places.credentials)/STRIPE_API_KEY
                LoadCredential=STRIPE_WEBHOOK_SECRETS:\(places.credentials)/STRIPE_WEBHOOK_SECRETS
                # For the page, if there is one: a blank one is none.
                LoadCredential=PAGE_USERS:\(places.credentials)/PAGE_USERS
                SetCredential=PAGE_USERS:\\n
                LoadCredential=CLICKHOUSE_URL:\(places.credentials)/CLICKHOUSE_URL
                SetCredential=CLICKHOUSE_URL:\\n

                \(user)\(logs)\(hardening)
                [Install]
                WantedBy=multi-user.target

                """)
    }

    static func timer(_ job: JobDescription) -> ScheduleFile {
        ScheduleFile(
            name: "meterflow-\(job.name).timer",
            text: """
                [Unit]
                Description=MeterFlow: when to \(job.summary)

                [Timer]
                OnCalendar=\(job.timer.calendar)
                RandomizedDelaySec=\(job.timer.randomizedDelaySeconds)
                AccuracySec=1s
                # What was missed while the machine was off is made up for when it is up.
                Persistent=yes

                [Install]
                WantedBy=timers.target

                """)
    }

    /// A place to say it louder, by a drop-in with another ExecStart.
    static let failure = ScheduleFile(
        name: "meterflow-failure@.service",
        text: """
            [Unit]
            Description=MeterFlow: say that %i failed

            [Service]
            Type=oneshot
            ExecStart=/usr/bin/logger -t meterflow -p daemon.err "%i failed, or needs a person: journalctl -u %i"
            DynamicUser=yes
            \(hardening)
            """)

    private static let hardening = """
        CapabilityBoundingSet=
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        NoNewPrivileges=yes
        PrivateDevices=yes
        PrivateTmp=yes
        ProtectClock=yes
        ProtectControlGroups=yes
        ProtectHome=yes
        ProtectHostname=yes
        ProtectKernelLogs=yes
        ProtectKernelModules=yes
        ProtectKernelTunables=yes
        ProtectProc=invisible
        ProtectSystem=strict
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        SystemCallArchitectures=native
        SystemCallErrorNumber=EPERM
        SystemCallFilter=@system-service
        UMask=0077

        """
}
