internal import Detection
internal import Exact
internal import Ledger
internal import Logging

/// The pages' contents, read from the ledger.
struct PageViews: Sendable {
    let live: Live
    let reports: ReportCache

    init(live: Live) {
        self.live = live
        let pool = live.pool
        reports = ReportCache { try await MonthReport.read($0, pool: pool) }
    }

    private static let rowsOfAPage = 100

    // MARK: A month

    /// What a person asks to see of a month.
    struct MonthQuery {
        var status: String?
        /// The first customer of the list.
        var customer: String?
        /// The last invoice of the list before.
        var after: String?
    }

    /// Of which a month's invoices can be listed; `held` are those that wait for a person.
    static let invoiceStatuses = InvoiceStatus.allCases.map(\.rawValue) + ["held"]

    func months() async throws -> [CivilMonth] {
        try await InvoiceIndex.months(pool: live.pool)
    }

    func month(_ month: CivilMonth, _ query: MonthQuery) async throws -> HTML {
        async let months = months()
        async let kept = reports.report(of: month)
        async let pause = BillingPause.current(pool: live.pool)
        async let runs = RunHistory(pool: live.pool).runs(slot: "\(month)", limit: 5)
        let invoices = try await InvoiceIndex.list(
            month, status: query.status,
            from: .init(customerID: query.customer ?? "", invoiceID: query.after ?? ""),
            limit: Self.rowsOfAPage + 1, pool: live.pool)
        let links: [HTML] = try await months.map {
            let current: HTML = $0 == month ? " aria-current=\"page\"" : ""
            return "<a href=\"\(PageFrame.address(["months", "\($0)"]))\"\(current)>\($0)</a> "
        }
        let (report, recent) = (try await kept, try await runs)
        let page = MonthPage(report: report.report, hasLinks: true)
        return PageFrame.served(
            page.title,
            """
            <nav aria-label="Months">\(links)</nav>
            \(Self.pause(try await pause))
            \(Self.progress(report.report.statuses, recent))
            \(report.report.ties.isEmpty ? "<p>The month has no invoices.</p>" : page.body)
            <p><small>Sums as of \(HTML.time(report.readAt)) UTC.</small></p>
            \(Self.runs(recent))
            <div id="invoices">
            \(Self.search(month, query))
            \(Self.invoices(invoices, month, query))
            </div>
            """)
    }

    private static func pause(_ pause: BillingPause?) -> HTML {
        guard let pause else { return "" }
        return """
            <p role="status"><strong>Billing is paused</strong> by \(pause.by) since \(HTML.time(pause.since)): \(pause.reason)</p>
            """
    }

    /// How far the month is at Stripe, while something sends it.
    private static func progress(_ statuses: [BillingStatus], _ runs: [RunHistory.Run]) -> HTML {
        guard let run = runs.first(where: { $0.job == "bill" && $0.status == "running" }) else {
            return ""
        }
        func count(_ names: Set<InvoiceStatus>) -> Int64 {
            statuses.reduce(0) {
                $0
                    + (InvoiceStatus(rawValue: $1.status).map(names.contains) == true
                        ? $1.invoices : 0)
            }
        }
        let there = count([.open, .paymentFailed, .paid, .void, .uncollectible])
        let all = there + count([.computed, .submitting])
        return """
            <p role="status"><label for="sent">The month is being billed (\(run.holder ?? "-")): \(grouped(there)) of \
            \(grouped(all)) invoices are at Stripe.</label>
            <progress id="sent" max="\(max(1, all))" value="\(there)"></progress></p>
            """
    }

    private static func search(_ month: CivilMonth, _ query: MonthQuery) -> HTML {
        let options: [HTML] = invoiceStatuses.map {
            let selected: HTML = $0 == query.status ? " selected" : ""
            return "<option\(selected)>\($0)</option>"
        }
        return """
            <form method="get" action="\(PageFrame.address(["months", "\(month)"]))#invoices">
            <label for="status">Status</label>
            <select id="status" name="status"><option value="">any</option>\(options)</select>
            <label for="customer">From customer</label>
            <input id="customer" name="customer" value="\(query.customer ?? "")" autocomplete="off">
            <button>Show</button>
            </form>

            """
    }

    private static func invoices(
        _ found: [InvoiceIndex], _ month: CivilMonth, _ query: MonthQuery
    ) -> HTML {
        let shown = found.prefix(rowsOfAPage)
        let rows: [[HTML]] = shown.map {
            [
                "\($0.customerID)", PageFrame.link($0.invoiceID, "invoices", $0.invoiceID),
                "\($0.status)", .text($0.held), "\(money($0.totalMinor, $0.currency))",
            ]
        }
        var next: HTML = ""
        if found.count > rowsOfAPage, let last = shown.last {
            let address = PageFrame.address(
                ["months", "\(month)"],
                [
                    ("status", query.status), ("customer", last.customerID),
                    ("after", last.invoiceID),
                ])
            next = "<p><a rel=\"next\" href=\"\(address)#invoices\">The next invoices</a></p>"
        }
        return """
            \(HTML.table("Invoices by customer", ["Customer", "Invoice", "Status", "Held", "Total"], rows, numbers: [4]))
            \(next)
            """
    }

    // MARK: An invoice

    func invoice(_ id: String, token: String?) async throws -> HTML {
        let page = InvoicePage(
            explanation: try await InvoiceExplanation.read(id, live), token: token)
        return PageFrame.served(page.title, page.body)
    }

    // MARK: Anomalies

    func anomalies(
        _ status: Anomaly.Status?, before: (lastHour: Instant, id: String)?
    ) async throws -> HTML {
        let found = try await AnomalyStore(pool: live.pool).newest(
            status: status, before: before, limit: Self.rowsOfAPage + 1)
        let shown = found.prefix(Self.rowsOfAPage)
        let rows: [[HTML]] = shown.map { anomaly in
            [
                PageFrame.link(
                    "\(anomaly.kind) \(anomaly.direction)", "anomalies", anomaly.id),
                "\(anomaly.customerID ?? "the fleet")", "\(anomaly.metric)",
                "\(anomaly.severity)", "\(anomaly.status)", .time(anomaly.firstHour),
                .time(anomaly.lastHour), .measured(anomaly.observed),
                .measured(anomaly.expected),
            ]
        }
        let names: [String?] = [nil] + Anomaly.Status.allCases.map(\.rawValue)
        let links: [HTML] = names.map {
            let current: HTML = $0 == status?.rawValue ? " aria-current=\"page\"" : ""
            let address = PageFrame.address(["anomalies"], [("status", $0 ?? "any")])
            return "<a href=\"\(address)\"\(current)>\($0 ?? "any")</a> "
        }
        var next: HTML = ""
        if found.count > Self.rowsOfAPage, let last = shown.last {
            let address = PageFrame.address(
                ["anomalies"],
                [
                    ("status", status?.rawValue ?? "any"),
                    ("before", "\(last.lastHour)"), ("id", last.id),
                ])
            next = "<p><a rel=\"next\" href=\"\(address)\">Earlier ones</a></p>"
        }
        let table = HTML.table(
            "Anomalies, the newest first",
            [
                "What", "Customer", "Metric", "Severity", "Status", "First hour", "Last hour",
                "Seen", "Expected",
            ], rows, numbers: [7, 8])
        return PageFrame.served(
            "Anomalies",
            """
            <nav aria-label="Status">\(links)</nav>
            \(rows.isEmpty ? "<p>None.</p>" : table)
            \(next)
            """)
    }

    func anomaly(_ id: String, token: String?) async throws -> HTML {
        var page = try await AnomalyPage.read(id, live, hasUsage: false)
        let anomaly = page.anomaly
        let view = await view(of: anomaly)
        if let view { page.view = view }
        var more: HTML =
            view == nil
            ? "<p>There is no plot: ClickHouse does not answer, or there is no series.</p>" : ""
        if let token, anomaly.status == Anomaly.Status.open.rawValue {
            more =
                "\(more)\(PageFrame.form(PageFrame.address(["anomalies", id, "acknowledge"]), "Acknowledge", id: "note", token: token))"
        }
        return PageFrame.served(page.title, "\(page.body)\(more)")
    }

    /// `nil`: ClickHouse does not answer, or has nothing to draw.
    private func view(of anomaly: Anomaly) async -> SeriesView? {
        guard live.settings.clickHouseURL != nil else { return nil }
        do {
            return try await AnomalyPage.view(of: anomaly, live)
        } catch {
            live.logger.warning("the page has no usage", metadata: ["error": "\(error)"])
            return nil
        }
    }

    // MARK: Runs

    func runs() async throws -> HTML {
        let history = RunHistory(pool: live.pool)
        let successes: [[HTML]] = try await history.lastSuccesses().map {
            ["\($0.job)", .text($0.slot), .time($0.succeededAt), "\(grouped($0.ageSeconds))"]
        }
        let runs = try await history.runs(limit: Self.rowsOfAPage)
        return PageFrame.served(
            "Runs",
            """
            \(HTML.table("Last successes", ["Job", "Slot", "When", "Seconds ago"], successes, numbers: [3]))
            \(Self.runs(runs))
            """)
    }

    private static func runs(_ runs: [RunHistory.Run]) -> HTML {
        HTML.table(
            runs.count < rowsOfAPage ? "Runs" : "The newest \(rowsOfAPage) runs",
            ["Job", "Slot", "Status", "Started", "Seconds", "Tries", "Error"],
            runs.map {
                [
                    "\($0.job)", .text($0.slot), "\($0.status)", .time($0.startedAt),
                    .text($0.durationSeconds), "\($0.attempts)", .text($0.error),
                ]
            }, numbers: [4, 5])
    }
}
