internal import Detection

/// A series around an anomaly, drawn in characters.
struct TerminalPlot {
    let points: [SeriesView.Point]
    private static let height = 12

    /// From the top; a column an hour.
    var lines: [String] {
        let largest = points.reduce(0.0) {
            max($0, $1.observed ?? 0, min($1.expected?.upperBound ?? 0, 1e36))
        }
        guard largest > 0, let first = points.first else { return ["no usage"] }
        func row(_ value: Double) -> Int {
            Int((max(0, min(value, largest)) / largest * Double(Self.height - 1)).rounded())
        }
        var grid = [[Character]](
            repeating: [Character](repeating: " ", count: points.count), count: Self.height)
        for (column, point) in points.enumerated() {
            if let expected = point.expected {
                for level in row(expected.lowerBound)...row(expected.upperBound) {
                    grid[level][column] = "·"
                }
            }
            if let observed = point.observed {
                grid[row(observed)][column] = point.isFlagged ? "#" : "o"
            }
        }
        let axis = (0..<Self.height).reversed().map { level in
            let value = largest * Double(level) / Double(Self.height - 1)
            let label = level % 3 == 0 || level == Self.height - 1 ? shortened(value) : ""
            let blanks = String(repeating: " ", count: max(0, 10 - label.count))
            var line = blanks + label + " |" + String(grid[level])
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
        return axis + [
            String(repeating: " ", count: 11) + "+" + String(repeating: "-", count: points.count),
            String(repeating: " ", count: 12)
                + "\(first.hour.instant), an hour a column: o seen, # unusual, · expected",
        ]
    }
}
