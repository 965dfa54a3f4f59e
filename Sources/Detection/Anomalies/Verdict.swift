/// What volume and pattern say together about a day of a series.
package struct Verdict: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case volume, pattern, both
    }

    package let kind: Kind
    package let severity: Severity
    package let recommendedAction: String

    /// Which way the volume went.
    package typealias Direction = VolumeEpisode.Direction

    /// Nil if nothing is unusual. A volume and a pattern that change together **are** suspicious; hours
    /// that are unusual each, and cancel out over the day, are a pattern.
    ///
    /// - Parameters:
    ///   - volumeSeverity: the worst that the hourly detector said on this day.
    ///   - pattern: nil if the day was not checked.
    package static func join(
        volumeSeverity: Severity, direction: Direction, pattern: PatternCheck?
    ) -> Verdict? {
        let isVolume = volumeSeverity == .critical || pattern?.isVolumeUnusual == true
        let isPattern = pattern?.isPatternUnusual == true
        let kind: Kind
        switch (isVolume, isPattern) {
        case (false, false): return nil
        case (true, false): kind = .volume
        case (false, true): kind = .pattern
        case (true, true): kind = pattern?.isSameVolume == true ? .pattern : .both
        }
        let isCritical =
            kind == .both || volumeSeverity == .critical
            || (isPattern && (pattern?.shapeScore ?? 0) >= 6)
        return Verdict(
            kind: kind, severity: isCritical ? .critical : .warning,
            recommendedAction: action(kind, direction))
    }

    static func action(_ kind: Kind, _ direction: Direction) -> String {
        switch (kind, direction) {
        case (_, .stopped):
            "Usage stopped: check that the exporter still delivers, then call the customer."
        case (.volume, .up):
            "Look for a runaway script or a retry loop, and call the customer before the invoice does."
        case (.volume, .down):
            "Check the exporter for losses; if it is whole, call the customer: they may be leaving."
        case (.pattern, _):
            "The same volume at other hours: ask the customer, and rotate the key if it is not theirs."
        case (.both, .up):
            "More usage at other hours: rotate the key now, then call the customer."
        case (.both, .down):
            "Less usage at other hours: check the exporter for losses of some hours, then call the customer."
        }
    }
}
