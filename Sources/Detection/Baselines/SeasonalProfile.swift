/// What a series does at each hour of a weekday and of a weekend day, and how it scatters around it.
struct SeasonalProfile {
    static let seasons = 48
    typealias PerSeason = [48 of Float]

    let variance: VarianceModel
    /// The stabilised centre per season (see `Hour.season`).
    let centres: [Double]
    /// How many values each centre rests on.
    let counts: [Int]

    /// - Parameters:
    ///   - history: NaN where an hour is missing; has at least one value.
    ///   - isLeftOut: days, since the history's first, that are known to be unusual.
    init(
        _ history: ArraySlice<Float>, first: Hour, variance known: VarianceModel?, isCount: Bool,
        isLeftOut: (Int) -> Bool
    ) {
        var groups = [[Double]](repeating: [], count: Self.seasons)
        for (offset, value) in history.enumerated() where !value.isNaN {
            let hour = first + offset
            if isLeftOut(hour.day - first.day) { continue }
            groups[hour.season].append(Double(value))
        }
        for season in 0..<Self.seasons { groups[season].sort() }
        let variance = known ?? .fitted(groups.compactMap(Self.moments), isCount: isCount)
        self.variance = variance
        var counts = [Int](repeating: 0, count: Self.seasons)
        var fallback: Double?
        centres = (0..<Self.seasons).map { season in
            var values = groups[season]
            if values.count < 3 {
                values = (groups[season % 24] + groups[season % 24 + 24]).sorted()
            }
            guard values.count >= 3 else {
                counts[season] = 3
                if let fallback { return fallback }
                let all = groups.flatMap { $0.map(variance.stabilised) }.sorted()
                let centre = all.isEmpty ? 0 : Robust.trimmedMean(sorted: all, share: 0.2)
                fallback = centre
                return centre
            }
            counts[season] = values.count
            return Robust.trimmedMean(sorted: values.map(variance.stabilised), share: 0.2)
        }
        self.counts = counts
    }

    /// Mean and variance without the value that lies farthest out.
    private static func moments(sorted: [Double]) -> VarianceModel.Moments? {
        guard sorted.count >= 3 else { return nil }
        let centre = Robust.trimmedMean(sorted: sorted, share: 0.2)
        var squares = sorted.map { ($0 - centre) * ($0 - centre) }.sorted()
        if squares.count >= 6 { squares.removeLast() }
        var sum = 0.0
        for square in squares { sum += square }
        return .init(
            mean: centre, variance: sum / Double(squares.count - 1), count: sorted.count)
    }
}
