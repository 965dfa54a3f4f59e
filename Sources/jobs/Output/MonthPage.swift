internal import Exact
internal import Foundation
internal import Ledger

/// A month as a page, whole in itself.
struct MonthPage {
    let report: MonthReport

    var html: String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Billing of \(report.month)</title>
        <style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#123}
        table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}
        th,td{padding:.25rem .6rem;border-bottom:1px solid #cdd6df;text-align:left;vertical-align:top}
        .n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}
        .bar{fill:#9bc}.now{fill:#234}.bad{color:#a11}text{font-size:11px;fill:#345}
        @media print{body{margin:0}}</style></head>
        <body><h1>Billing of \(report.month)</h1>
        \(tie)
        <h2>What became of it</h2>
        \(statuses)
        <h2>What it is made of</h2>
        \(metrics)
        <h2>Month by month</h2>
        \(months)
        <h2>Who moved most since \(report.month.previous)</h2>
        \(movers)
        <h2>What needs attention</h2>
        \(attention)
        <h2>Usage</h2>
        \(usage)
        </body></html>

        """
    }

    private var tie: String {
        let totals = report.ties.map {
            "\(grouped($0.invoices)) invoices come to \(text($0.totalMinor, $0.currency)), their lines to \(text($0.linesMinor, $0.currency))"
        }
        let verdict =
            report.tiesOut
            ? "Lines, invoices and states tie out."
            : "<strong class=\"bad\">They do not tie out.</strong>"
        return "<p>\(HTML.escaped(totals.joined(separator: "; "))). \(verdict)</p>"
    }

    private var statuses: String {
        HTML.table(
            ["Status", "Waits because", "Invoices", "Total"],
            report.statuses.map {
                [
                    $0.status, $0.held ?? ($0.isDeadLetter ? "dead letter" : ""),
                    grouped($0.invoices), text($0.totalMinor, $0.currency),
                ]
            }, numbers: [2, 3])
    }

    private var metrics: String {
        HTML.table(
            ["Metric", "Lines", "Quantity", "Total"],
            report.metrics.map {
                [
                    $0.name ?? "fees, minimums, carried", grouped($0.count), $0.quantity ?? "",
                    text($0.totalMinor, $0.currency),
                ]
            }, numbers: [1, 2, 3])
    }

    /// Bars by currency, and the same as a table.
    private var months: String {
        let currencies = Set(report.months.map(\.currency.code)).sorted()
        return currencies.map { code in
            let own = report.months.filter { $0.currency.code == code }
            let largest = Double(max(1, own.map(\.totalMinor).max() ?? 1))
            let bars = own.enumerated().map { index, month in
                let height = max(0, Double(month.totalMinor) / largest * 120)
                let isNow = month.name == "\(report.month)"
                return String(
                    format:
                        "<rect class=\"%@\" x=\"%d\" y=\"%.1f\" width=\"60\" height=\"%.1f\"/><text x=\"%d\" y=\"155\">%@</text>",
                    isNow ? "now" : "bar", index * 78 + 8, 135 - height, height, index * 78 + 12,
                    month.name ?? "")
            }
            let rows = own.map {
                [$0.name ?? "", grouped($0.count), text($0.totalMinor, $0.currency)]
            }
            return """
                <svg viewBox="0 0 950 160" role="img" aria-label="charged by month, \(code)">\(bars.joined())</svg>
                \(HTML.table(["Month", "Invoices", "Charged"], rows, numbers: [1, 2]))
                """
        }.joined()
    }

    private var movers: String {
        guard !report.movers.isEmpty else { return "<p>Nobody.</p>" }
        return HTML.table(
            ["Customer", "\(report.month.previous)", "\(report.month)", "Difference"],
            report.movers.map {
                [
                    $0.customerID, text($0.beforeMinor, $0.currency),
                    text($0.totalMinor, $0.currency),
                    text($0.totalMinor - $0.beforeMinor, $0.currency),
                ]
            }, numbers: [1, 2, 3])
    }

    private var attention: String {
        guard !report.attention.isEmpty else { return "<p>Nothing.</p>" }
        let rest = report.attentionCount - Int64(report.attention.count)
        let words =
            rest > 0
            ? "<p>The largest \(grouped(report.attention.count)) of \(grouped(report.attentionCount)).</p>"
            : ""
        return words
            + HTML.table(
                ["Customer", "Invoice", "Status", "Why", "Total"],
                report.attention.map {
                    [
                        $0.customerID, $0.invoiceID, $0.status, $0.reason ?? "",
                        text($0.totalMinor, $0.currency),
                    ]
                }, numbers: [4])
    }

    /// The counts of the last run: events, duplicates, conflicts, late ones.
    private var usage: String {
        guard let run = report.lastRun,
            let figures = try? JSONDecoder().decode(Figures.self, from: Data(run.figures.utf8))
        else { return "<p>No run of the month is on record.</p>" }
        let rows = [
            ("Events counted", figures.events), ("Duplicates, not counted", figures.duplicates),
            ("Conflicts, not counted", figures.conflicts), ("In quarantine", figures.quarantined),
            ("Late, after the month was billed", figures.late), ("Customers", figures.customers),
        ].map { [$0.0, grouped($0.1)] }
        return "<p>As the run of \(HTML.escaped(run.finished)) UTC counted.</p>"
            + HTML.table(["", "Count"], rows, numbers: [1])
    }

    private struct Figures: Decodable {
        let customers: Int64
        let events: Int64
        let duplicates: Int64
        let conflicts: Int64
        let quarantined: Int64
        let late: Int64
    }

    private func text(_ minor: Int64, _ currency: Currency) -> String {
        "\(currency.format(minor)) \(currency.code.uppercased())"
    }
}
