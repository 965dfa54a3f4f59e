internal import Exact
internal import Ledger

/// What the ledger says of the work.
struct JobChecks: Sendable {
    let live: Live

    func catalog() async throws -> [Finding] {
        guard let version = try await CatalogStore(pool: live.pool).inForce(on: .today) else {
            return [
                .failure(
                    "billing", "catalog", "no catalog is in force today",
                    "jobs catalog apply FILE, with an effective_from no later than today")
            ]
        }
        return [
            .ok("billing", "catalog", "\(version.version), in force since \(version.effectiveFrom)")
        ]
    }

    func billing() async throws -> [Finding] {
        let backlog = try await LedgerHealth(pool: live.pool).backlog()
        var findings: [Finding] = []
        if let pause = try await BillingPause.current(pool: live.pool) {
            findings.append(
                .warning(
                    "billing", "pause",
                    "paused by \(pause.by) since \(pause.since): \(pause.reason)",
                    "jobs billing resume"))
        }
        findings.append(
            count(
                backlog.invoiceDeadLetters, "dead letters", "invoices were given up",
                "jobs dead-letters list"))
        findings.append(
            count(backlog.held, "held", "invoices are held", "jobs billing status"))
        findings.append(
            count(
                backlog.unmapped ?? 0, "unmapped", "customers with usage had no terms",
                "jobs import customers, and run the month again"))
        return findings
    }

    private func count(
        _ count: Int, _ check: String, _ what: String, _ advice: String
    ) -> Finding {
        count == 0
            ? .ok("billing", check, "none")
            : .warning("billing", check, "\(grouped(count)) \(what)", advice)
    }

    private static let mostWaitingSeconds = 600

    func webhooks() async throws -> [Finding] {
        let backlog = try await WebhookRecords(pool: live.pool).backlog()
        var findings: [Finding] = []
        let text =
            "\(grouped(backlog.pending)) wait, the oldest for \(age(Int64(backlog.oldestSeconds)))"
        findings.append(
            backlog.oldestSeconds > Self.mostWaitingSeconds
                ? .warning(
                    "webhooks", "backlog", text,
                    "does jobs serve run? else: jobs run process-webhooks")
                : .ok("webhooks", "backlog", text))
        if backlog.deadLetters > 0 {
            findings.append(
                .warning(
                    "webhooks", "dead letters", "\(grouped(backlog.deadLetters)) were given up",
                    "jobs webhooks list --state dead"))
        }
        return findings
    }

    func alerts() async throws -> [Finding] {
        let routes = live.settings.alertRoutes
        let backlog = try await AlertOutbox(pool: live.pool).backlog(routes: routes.map(\.name))
        if routes.isEmpty {
            return [
                .warning(
                    "alerts", "routes", "nobody hears of alerts; \(grouped(backlog.unrouted)) wait",
                    "name routes in alerts.routes of jobs.yaml, then: jobs alerts test ROUTE")
            ]
        }
        var findings = [
            Finding.ok("alerts", "routes", routes.map(\.name).sorted().joined(separator: ", "))
        ]
        for route in routes {
            do {
                _ = try route.withSecrets()
            } catch {
                findings.append(
                    .warning(
                        "alerts", "routes", "\(error)",
                        "right here if only jobs serve and send-alerts can read it"))
            }
        }
        if backlog.deadLetters > 0 {
            findings.append(
                .warning(
                    "alerts", "dead letters", "\(grouped(backlog.deadLetters)) were given up",
                    "jobs dead-letters list, then: jobs alerts retry --all"))
        }
        if backlog.stranded > 0 {
            findings.append(
                .warning(
                    "alerts", "routes",
                    "\(grouped(backlog.stranded)) wait for routes that are not configured any more: \(backlog.strandedRoutes ?? "")",
                    "put them back into jobs.yaml until it is sent, or: jobs alerts discard ROUTE"))
        }
        let text =
            "\(grouped(backlog.waiting + backlog.unrouted)) wait, the oldest for \(age(Int64(backlog.oldestSeconds)))"
        findings.append(
            backlog.oldestSeconds > Self.mostSecondsOfAnAlert
                ? .warning(
                    "alerts", "backlog", text, "does jobs serve run? else: jobs run send-alerts")
                : .ok("alerts", "backlog", text))
        return findings
    }

    /// Quiet hours and digests may hold one for a day.
    private static let mostSecondsOfAnAlert = 93_600

    /// Those who serve it must know who may see it.
    func page() async throws -> [Finding] {
        guard let page = live.settings.page else { return [] }
        do {
            _ = try live.settings.requiredPage()
            return [.ok("page", "users", "port \(page.port) on this machine")]
        } catch {
            return [
                .warning("page", "users", "\(error)", "right here if only jobs serve can read it")
            ]
        }
    }

    func successes() async throws -> [Finding] {
        let successes = try await RunHistory(pool: live.pool).lastSuccesses()
        return JobRegistry.expected(live.settings).map { name, description in
            guard let last = successes.first(where: { $0.job == name }) else {
                return .warning(
                    "jobs", "success", "\(name) has never succeeded",
                    "jobs run \(description.name)")
            }
            return last.ageSeconds > description.alertAfterSeconds
                ? .warning(
                    "jobs", "success",
                    "\(name) last succeeded \(age(last.ageSeconds)) ago; \(age(description.alertAfterSeconds)) is the most",
                    "jobs runs list --job \(name)")
                : .ok("jobs", "success", "\(name) succeeded \(age(last.ageSeconds)) ago")
        }
    }
}
