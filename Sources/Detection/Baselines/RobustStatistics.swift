/// Estimates that a few wild values do not move. Sums run in the order of the sorted values, so that the
/// last digit is the same wherever they are computed.
enum Robust {
    /// - Parameter sorted: ascending, not empty.
    static func median(sorted: some RandomAccessCollection<Double>) -> Double {
        let middle = sorted.index(sorted.startIndex, offsetBy: sorted.count / 2)
        guard sorted.count % 2 == 0 else { return sorted[middle] }
        return (sorted[sorted.index(before: middle)] + sorted[middle]) / 2
    }

    static func median(_ values: some Sequence<Double>) -> Double {
        var values = Array(values)
        guard !values.isEmpty else { return 0 }
        let upper = select(values.count / 2, &values)
        guard values.count % 2 == 0 else { return upper }
        var lower = values[0]
        for value in values[..<(values.count / 2)] { lower = max(lower, value) }
        return (lower + upper) / 2
    }

    /// The mean without the lowest and highest share.
    ///
    /// - Parameter sorted: ascending, not empty.
    static func trimmedMean(sorted: some RandomAccessCollection<Double>, share: Double) -> Double {
        let cut = min(Int(Double(sorted.count) * share), (sorted.count - 1) / 2)
        var sum = 0.0
        for value in sorted.dropFirst(cut).dropLast(cut) { sum += value }
        return sum / Double(sorted.count - 2 * cut)
    }

    /// The value that a share of all lies at or below (nearest rank).
    static func quantile(_ values: [Double], _ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        var values = values
        let rank = Int((Double(values.count) * share).rounded(.up)) - 1
        return select(min(values.count - 1, max(0, rank)), &values)
    }

    /// The value of a rank, from 0; smaller ones end up before it (Hoare, "Algorithm 65: Find",
    /// CACM 4, 1961).
    static func select(_ rank: Int, _ values: inout [Double]) -> Double {
        values.withUnsafeMutableBufferPointer { values in
            var (low, high) = (0, values.count - 1)
            while low < high {
                let pivot = values[(low + high) / 2]
                var (left, right) = (low, high)
                while left <= right {
                    while values[left] < pivot { left += 1 }
                    while values[right] > pivot { right -= 1 }
                    guard left <= right else { break }
                    values.swapAt(left, right)
                    (left, right) = (left + 1, right - 1)
                }
                if rank <= right { high = right } else if rank >= left { low = left } else { break }
            }
            return values[rank]
        }
    }

    /// The root mean square, where a value beyond `limit` times the median size counts as that limit.
    static func rootMeanSquare(_ values: some Collection<Double>, limit: Double = 4.5) -> Double {
        guard !values.isEmpty else { return 0 }
        let bound = median(values.lazy.map(abs)) * limit
        var sum = 0.0
        for value in values {
            let size = bound > 0 ? min(abs(value), bound) : abs(value)
            sum += size * size
        }
        return (sum / Double(values.count)).squareRoot()
    }
}
