internal import Foundation
internal import Glibc
internal import Synchronization

/// A line on stderr that says how far work of more than two seconds has come. Only on a terminal.
struct Progress {
    private let what: String
    private let isShown = isatty(STDERR_FILENO) == 1
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var last: ContinuousClock.Instant?

    init(_ what: String) {
        self.what = what
        start = clock.now
    }

    mutating func update(_ state: @autoclosure () -> String) {
        guard isShown else { return }
        let now = clock.now
        guard now - start > .seconds(2), last.map({ now - $0 > .milliseconds(200) }) ?? true else {
            return
        }
        last = now
        writeText("\r\u{1B}[K\(what): \(state())", to: STDERR_FILENO)
    }

    /// Takes the line away again.
    func finish() {
        if last != nil { writeText("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}

/// Progress of work that many do side by side, with how long it will still take.
final class ProgressLine: Sendable {
    private let total: Int?
    private let start = ContinuousClock.now
    private let progress: Mutex<Progress>

    init(_ what: String, total: Int?) {
        self.total = total
        progress = Mutex(Progress(what))
    }

    func update(_ count: Int) {
        progress.withLock { $0.update(text(count)) }
    }

    func finish() {
        progress.withLock { $0.finish() }
    }

    private func text(_ count: Int) -> String {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let rate = Double(count) / max(seconds, 0.001)
        guard let total else { return "\(grouped(count)), \(Int(rate)) a second" }
        let left = Int(Double(max(0, total - count)) / max(rate, 0.001))
        return "\(grouped(count)) of \(grouped(total)), \(Int(rate)) a second, "
            + (left < 90 ? "\(left) s left" : "\(left / 60) min left")
    }
}

/// 1234567 as people read it: 1,234,567.
func grouped(_ number: some BinaryInteger) -> String { grouped(String(number)) }

/// The same for a plain decimal: 27352.99 as 27,352.99.
func grouped(_ decimal: String) -> String {
    let point = decimal.firstIndex(of: ".") ?? decimal.endIndex
    let sign = decimal.hasPrefix("-") ? "-" : ""
    var result = ""
    for (index, digit) in decimal[..<point].dropFirst(sign.count).reversed().enumerated() {
        if index > 0 && index % 3 == 0 { result.append(",") }
        result.append(digit)
    }
    return sign + String(result.reversed()) + decimal[point...]
}

/// About four digits, for people: 0.0123, 4.56, 1235.
func shortened(_ number: Double) -> String {
    guard number.isFinite, number != 0 else { return "0" }
    let size = abs(number)
    if size >= 1000 { return grouped(String(format: "%.0f", number)) }
    return String(format: size >= 100 ? "%.1f" : size >= 1 ? "%.2f" : "%.4g", number)
}
