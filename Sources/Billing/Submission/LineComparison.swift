internal import Exact
internal import Ledger

/// What Stripe holds of an invoice's lines, beside what it should hold.
enum LineComparison: Equatable {
    case equal
    /// Only lines of ours, but some are missing, or there twice: what requests leave behind.
    case incomplete(String)
    /// Something that no request of ours wrote.
    case foreign(String)

    init(_ invoice: Invoice, _ lines: [StripeLine]) {
        let ours = Dictionary(
            uniqueKeysWithValues: StripeRequests.lines(of: invoice).map { ($0.lineID, $0) })
        var seen: Set<String> = []
        for line in lines {
            guard let id = line.metadata[StripeMetadata.line], let sent = ours[id] else {
                self = .foreign("line \(line.id) over \(line.amount) is not ours")
                return
            }
            guard line.amount == sent.amountMinor, line.period.start == invoice.start.unixSeconds,
                line.period.end == StripeRequests.lastSecond(of: invoice)
            else {
                self = .foreign("line \(line.id) over \(line.amount) is not as it was sent")
                return
            }
            seen.insert(id)
        }
        self =
            seen.count == ours.count && lines.count == ours.count
            ? .equal
            : .incomplete("\(lines.count) lines of \(ours.count), \(seen.count) of them different")
    }
}
