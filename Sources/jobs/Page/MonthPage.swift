internal import Exact
internal import Foundation
internal import Ledger

/// A month for finance.
struct MonthPage {
    let report: MonthReport
    /// Whether invoices are links, as on the page that is served.
    var hasLinks = false

    var title: String { "Billing of \(report.month)" }

    /// Whole in itself, to be sent to others.
    var file: String { PageFrame.standalone(title, body).text }

    var body: HTML {
        """
        \(tie)
        \(statuses)
        \(metrics)
        \(months)
        \(movers)
        \(attention)
        \(usage)
        """
    }

    private var tie: HTML {
        let totals = report.ties.map { tie in
            "\(grouped(tie.invoices)) invoices come to \(money(tie.totalMinor, tie.currency)), their lines to \(money(tie.linesMinor, tie.currency))"
                + (report.parts(tie.currency).map { " (\($0))" } ?? "")
        }
        let verdict: HTML =
            report.tiesOut
            ? "Lines, invoices and states tie out."
            : "<strong class=\"bad\">They do not tie out.</strong>"
        return """
            <p>\(totals.joined(separator: "; ")). \(verdict)</p>
            <p><small>\(MonthReport.meaning)</small></p>
            """
    }

    private var statuses: HTML {
        HTML.table(
            "What became of the invoices", ["Status", "Waits because", "Invoices", "Total"],
            report.statuses.map {
                [
                    hasLinks ? link($0.status) : "\($0.status)",
                    .text($0.held ?? ($0.isDeadLetter ? "dead letter" : nil)),
                    "\(grouped($0.invoices))", "\(money($0.totalMinor, $0.currency))",
                ]
            }, numbers: [2, 3])
    }

    /// To the invoices of a status.
    private func link(_ status: String) -> HTML {
        let address = PageFrame.address(["months", "\(report.month)"], [("status", status)])
        return "<a href=\"\(address)#invoices\">\(status)</a>"
    }

    private var metrics: HTML {
        HTML.table(
            "What is charged, by metric", ["Metric", "Lines", "Quantity", "Charged"],
            report.metrics.map {
                [
                    "\($0.name ?? "fees, minimums, carried")", "\(grouped($0.count))",
                    .text($0.quantity.map(grouped)), "\(money($0.totalMinor, $0.currency))",
                ]
            }, numbers: [1, 2, 3])
    }

    /// Bars by currency, and the same as a table.
    private var months: HTML {
        let currencies = Set(report.months.map(\.currency.code)).sorted()
        let parts: [HTML] = currencies.map { code in
            let own = report.months.filter { $0.currency.code == code }
            let largest = Double(max(1, own.map(\.totalMinor).max() ?? 1))
            let bars: [HTML] = own.enumerated().map { index, month in
                let height = max(0, Double(month.totalMinor) / largest * 120)
                let part = month.name == "\(report.month)" ? "now" : "bar"
                let (top, size) = (
                    String(format: "%.1f", 135 - height), String(format: "%.1f", height)
                )
                return """
                    <rect class="\(part)" x="\(index * 78 + 8)" y="\(top)" width="60" height="\(size)"/>\
                    <text x="\(index * 78 + 12)" y="155">\(month.name ?? "")</text>
                    """
            }
            let rows: [[HTML]] = own.map {
                [
                    .text($0.name), "\(grouped($0.count))",
                    "\(money($0.totalMinor, $0.currency))",
                ]
            }
            let caption = "Charged by month, \(code.uppercased())"
            return """
                \(HTML.plot("\(caption), as bars", width: 950, height: 160, bars))\
                \(HTML.table(caption, ["Month", "Invoices", "Charged"], rows, numbers: [1, 2]))
                """
        }
        return "\(parts)"
    }

    private var movers: HTML {
        let currencies = Set(report.movers.map(\.currency.code)).sorted()
        let parts: [HTML] = currencies.map { code in
            let own = report.movers.filter { $0.currency.code == code }
            let all = own.first?.allOfThem ?? 0
            let rest = all > Int64(own.count) ? ": \(own.count) of \(grouped(all))" : ""
            return HTML.table(
                "Who moved most since \(report.month.previous), \(code.uppercased())\(rest)",
                ["Customer", "\(report.month.previous)", "\(report.month)", "Difference"],
                own.map {
                    [
                        "\($0.customerID)", "\(money($0.beforeMinor, $0.currency))",
                        "\(money($0.totalMinor, $0.currency))",
                        "\(money($0.totalMinor - $0.beforeMinor, $0.currency))",
                    ]
                }, numbers: [1, 2, 3])
        }
        return "\(parts)"
    }

    private var attention: HTML {
        guard !report.attention.isEmpty else { return "<p>Nothing needs attention.</p>" }
        let rest = report.attentionCount - Int64(report.attention.count)
        let caption =
            rest > 0
            ? "\(grouped(report.attention.count)) of \(grouped(report.attentionCount)) that need attention: the largest of each currency"
            : "What needs attention: held, dead letters, not paid"
        return HTML.table(
            caption, ["Customer", "Invoice", "Status", "Why", "Total"],
            report.attention.map {
                [
                    "\($0.customerID)",
                    hasLinks
                        ? PageFrame.link($0.invoiceID, "invoices", $0.invoiceID)
                        : "\($0.invoiceID)",
                    "\($0.status)", .text($0.reason), "\(money($0.totalMinor, $0.currency))",
                ]
            }, numbers: [4])
    }

    /// The counts of the last run: what became of every customer, and of events.
    private var usage: HTML {
        guard let run = report.lastRun else { return "<p>No run of the month is on record.</p>" }
        guard let figures = BilledFigures.read(run.figures) else {
            return "<p>Another version of jobs counted the last run: jobs runs show has it.</p>"
        }
        let outcomes: [[HTML]] = figures.outcomes.map { ["\($0.name)", "\(grouped($0.count))"] }
        let events: [[HTML]] = [
            ("Counted", figures.events), ("Duplicates, not counted", figures.duplicates),
            ("Conflicts, not counted", figures.conflicts), ("In quarantine", figures.quarantined),
            ("Late, after the month was billed", figures.late),
        ].map { ["\($0.0)", "\(grouped($0.1))"] }
        let when = "as the run of \(run.finished) UTC counted"
        return """
            \(HTML.table("Every customer once, \(when)", ["Outcome", "Customers"], outcomes, numbers: [1]))\
            \(HTML.table("Events, \(when)", ["What", "Count"], events, numbers: [1]))
            """
    }
}

extension MonthReport {
    /// Of what a currency's invoices come to, what is charged and what is not; `nil`: all is charged.
    func parts(_ currency: Currency) -> String? {
        let others: [String] = [InvoiceStatus.carried, .void].compactMap { status in
            let minor = totalMinor(of: status, currency)
            return minor == 0 ? nil : "\(money(minor, currency)) \(status.rawValue)"
        }
        guard !others.isEmpty else { return nil }
        return (["\(money(chargedMinor(currency), currency)) charged"] + others)
            .joined(separator: ", ")
    }

    /// Why months do not add up to more than was charged.
    static let meaning =
        "What is carried is charged with a later invoice, and counts in its month; what is void charges nothing."
}

/// An amount as people read it: 1,234.50 USD.
func money(_ minor: Int64, _ currency: Currency) -> String {
    "\(grouped(currency.format(minor))) \(currency.code.uppercased())"
}
