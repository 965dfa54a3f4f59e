package import Exact
internal import Usage

extension Hour {
    package var instant: Instant { Instant(milliseconds: Int64(index) * 3_600_000) }
}

/// What was found, as the ledger takes it: a JSON array.
struct FindingText {
    private var objects: [String] = []

    var json: String { "[\(objects.joined(separator: ","))]" }

    /// Adds what is one's own of a metric's episodes: no part of a shift.
    ///
    /// - Parameters:
    ///   - own: whose episodes are on record as that already.
    ///   - hour: episodes that began before it are left out; nil: none.
    mutating func add(
        _ outcome: MetricOutcome, besides shifts: [ShiftHours], own: Set<String> = [],
        since hour: Hour? = nil
    ) {
        var last: (customer: String, episode: VolumeEpisode)?
        for (customer, piece) in outcome.episodes where hour.map({ piece.first >= $0 }) ?? true {
            if let known = last, known.episode.first == piece.first,
                known.customer.utf8.elementsEqual(customer.utf8)
            {
                last?.episode.add(piece)
                continue
            }
            if let last { add(last.episode, of: last.customer, outcome.metric) }
            let isOwn = own.contains(customer) || !shifts.contains(where: piece.isPart(of:))
            last = isOwn ? (customer: customer, episode: piece) : nil
        }
        if let last { add(last.episode, of: last.customer, outcome.metric) }
    }

    private mutating func add(
        _ episode: VolumeEpisode, of customer: String, _ metric: DetectedMetric
    ) {
        func name(_ hour: Hour) -> String {
            Self.string(
                AnomalyName.of(
                    customer: customer, metricKey: metric.key, lineage: "volume", first: hour))
        }
        objects.append(
            Self.object(
                [
                    ("anomaly_id", name(episode.first)), ("next_id", name(episode.last)),
                    ("customer_id", Self.string(customer)),
                    ("kind", Self.string(episode.kind.rawValue)),
                    ("severity", Self.string("critical")),
                    ("score", Self.number(episode.score)),
                    ("threshold", Self.number(episode.threshold)),
                    ("tail_probability", Self.number(episode.tailProbability)),
                    ("expected_low", Self.number(episode.expectedRange.lowerBound)),
                    ("expected_high", Self.number(episode.expectedRange.upperBound)),
                    ("excess", Self.number(episode.excess)),
                    ("hours", "\(episode.hours.count)"),
                    ("hour_indexes", Self.array(episode.hours.map { "\($0.index)" })),
                    ("excesses", Self.array(episode.excesses.map(Self.number))),
                    ("method", Self.string(episode.method.rawValue)),
                    ("part", episode.part.map { Self.string($0.rawValue) } ?? "null"),
                    (
                        "recommended_action",
                        Self.string(Verdict.action(episode.kind, episode.direction))
                    ),
                ]
                    + Self.common(
                        metric, episode.direction, episode.first, episode.last, episode.peak,
                        expected: episode.expected, observed: episode.observed)))
    }

    mutating func add(_ shift: FleetShift) {
        let metric = shift.metric
        func name(_ hour: Hour) -> String {
            Self.string(
                AnomalyName.of(
                    customer: "", metricKey: metric.key,
                    lineage: shift.isUp ? "fleet up" : "fleet down", first: hour))
        }
        objects.append(
            Self.object(
                [
                    ("anomaly_id", name(shift.first)), ("next_id", name(shift.last)),
                    ("kind", Self.string("fleet")), ("severity", Self.string("critical")),
                    ("score", Self.number(shift.score)),
                    ("threshold", Self.number(shift.threshold)),
                    ("excess", Self.number(shift.excess)), ("hours", "\(shift.hours)"),
                    ("onset_hours", Self.array(shift.onsets.map { "\($0.index)" })),
                    ("series", "\(shift.series)"), ("method", Self.string("fleet")),
                    ("recommended_action", Self.string(shift.recommendedAction)),
                ]
                    + Self.common(
                        metric, shift.direction, shift.first, shift.last, shift.peak,
                        expected: shift.expected, observed: shift.observed)))
    }

    mutating func add(_ finding: PatternFinding, _ metric: DetectedMetric) {
        let name = AnomalyName.of(
            customer: finding.customer ?? "", metricKey: metric.key,
            lineage: finding.customer == nil
                ? finding.direction == .up ? "fleet day up" : "fleet day down"
                : finding.kind == "volume" ? "day" : "pattern",
            first: finding.first)
        objects.append(
            Self.object(
                [
                    ("anomaly_id", Self.string(name)),
                    ("customer_id", finding.customer.map(Self.string) ?? "null"),
                    ("kind", Self.string(finding.kind)),
                    ("severity", Self.string(finding.isCritical ? "critical" : "warning")),
                    ("score", Self.number(finding.score)),
                    ("threshold", Self.number(finding.threshold)),
                    ("similarity", finding.similarity.map { "\($0)" } ?? "null"),
                    ("excess", Self.number(finding.observed - finding.expected)), ("hours", "24"),
                    ("series", finding.series.map(String.init) ?? "null"),
                    ("method", Self.string("pattern")),
                    ("recommended_action", Self.string(finding.action)),
                ]
                    + Self.common(
                        metric, finding.direction, finding.first, finding.day + 23, finding.day,
                        expected: finding.expected, observed: finding.observed)))
    }

    private static func common(
        _ metric: DetectedMetric, _ direction: VolumeEpisode.Direction, _ first: Hour, _ last: Hour,
        _ peak: Hour, expected: Double, observed: Double
    ) -> [(String, String)] {
        [
            ("metric_key", string(metric.key)), ("metric", string(metric.code)),
            ("is_maximum", "\(metric.isMaximum)"),
            ("direction", string(direction.rawValue)), ("first_hour", string("\(first.instant)")),
            ("last_hour", string("\(last.instant)")), ("peak_hour", string("\(peak.instant)")),
            ("expected", number(expected)), ("observed", number(observed)),
        ]
    }

    /// What to do about hours, by kind and direction.
    static let actions: String = {
        let ways: [(kind: Verdict.Kind, direction: VolumeEpisode.Direction)] = [
            (.volume, .up), (.volume, .down), (.volume, .stopped), (.pattern, .up),
            (.pattern, .down),
        ]
        return object(
            ways.map { way in
                (
                    "\(way.kind.rawValue) \(way.direction.rawValue)",
                    string(Verdict.action(way.kind, way.direction))
                )
            })
    }()

    private static func array(_ elements: [String]) -> String {
        "[\(elements.joined(separator: ","))]"
    }

    static func object(_ members: [(String, String)]) -> String {
        "{\(members.map { "\"\($0)\":\($1)" }.joined(separator: ","))}"
    }

    /// Neither JSON nor Postgres' JSON knows infinities.
    static func number(_ value: Double) -> String {
        "\(value.isNaN ? 0 : max(-1e300, min(1e300, value)))"
    }

    static func string(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONString.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
