/// The residuals of the last 72 hours, in steps of 1/256 standard deviation: half the bytes of floats.
struct ResidualRing: Sendable {
    static let hours = 72
    private static let missing = Int16.min
    private static let stepsPerUnit = 256.0

    var steps = [72 of Int16](repeating: missing)

    /// Nil where the hour is missing; sizes end at 127.
    subscript(hour: Hour) -> Double? {
        get {
            let step = steps[hour.slot(in: Self.hours)]
            return step == Self.missing ? nil : Double(step) / Self.stepsPerUnit
        }
        set {
            steps[hour.slot(in: Self.hours)] =
                newValue.map { value in
                    Int16((max(-127, min(127, value)) * Self.stepsPerUnit).rounded())
                } ?? Self.missing
        }
    }
}
