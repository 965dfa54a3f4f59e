package import ClickHouse
package import Exact

/// The question "how much did every customer use in this period, exactly?", straight from the events.
///
/// Identity is `(customer_id, transaction_id)`: of several rows the one with the lowest (ingested_at,
/// content hash) counts, whatever their types and times, so duplicates are decided before any filter,
/// and the winner's timestamp alone decides the period. Rows without ids or with broken JSON take no
/// part: they are counted as quarantined.
package struct PeriodUsageQuery: Sendable {
    package let metrics: [Metric]
    package let start: Instant
    package let end: Instant
    /// How far apart two rows with one identity can lie and still be recognised as one event.
    package let dedupHorizonMilliseconds: Int64

    package static let defaultDedupHorizonMilliseconds: Int64 = 400 * 86_400_000

    package init(
        metrics: [Metric], start: Instant, end: Instant,
        dedupHorizonMilliseconds: Int64 = defaultDedupHorizonMilliseconds
    ) {
        precondition(start < end)
        self.metrics = metrics
        self.start = start
        self.end = end
        self.dedupHorizonMilliseconds = dedupHorizonMilliseconds
    }

    /// One row a customer with events in the period, in order of `customer_id`: `events`, and for each
    /// metric `events_N`, `quantity_N` (a plain decimal; NULL without usage) and `unparsable_N`.
    ///
    /// - Parameter customer: only this one; `nil` for all.
    package func byCustomer(_ customer: String? = nil) -> ClickHouseQuery {
        var parameters = boundaries
        let columns = metrics.enumerated().map { MetricColumns(metric: $1, index: $0) }
        let values = columns.map { $0.renderValues(&parameters) }
        let winners = SQL.winners
            .replacing("/* metric values */", with: values.joined())
            .replacing("/* metric columns */", with: columns.map { $0.renderFolds() }.joined())
        return ClickHouseQuery(
            filtered(winners, to: customer, &parameters), parameters: parameters,
            settings: Self.longText)
    }

    /// One row: `rows`, `events`, `duplicates`, `conflicts` and `quarantined` of the period.
    package func figures() -> ClickHouseQuery {
        var parameters = boundaries
        return ClickHouseQuery(filtered(SQL.figures, to: nil, &parameters), parameters: parameters)
    }

    /// Every later row with another content than the row that counts: `customer_id`, `transaction_id`,
    /// and both contents.
    package func conflicts(of customer: String? = nil) -> ClickHouseQuery {
        var parameters = boundaries
        return ClickHouseQuery(
            filtered(SQL.conflicts, to: customer, &parameters), parameters: parameters)
    }

    /// Every row of the period that cannot be billed as it is, with the reason.
    package func quarantined(of customer: String? = nil) -> ClickHouseQuery {
        var parameters = boundaries
        let columns = metrics.enumerated().filter { $0.element.property != nil }.map {
            MetricColumns(metric: $0.element, index: $0.offset).renderReason(&parameters)
        }
        let text = SQL.quarantined.replacing(
            "/* metric reasons */", with: columns.map { ",\n" + $0 }.joined())
        return ClickHouseQuery(
            filtered(text, to: customer, &parameters), parameters: parameters,
            settings: Self.longText)
    }

    /// A metric takes some 3 KB, and 256 KB are the most that the server takes by default.
    private static let longText = ["max_query_size": "16777216"]

    private var boundaries: [String: ClickHouseValue] {
        [
            "start": .integer(start.milliseconds), "end": .integer(end.milliseconds),
            "horizon": .integer(dedupHorizonMilliseconds),
        ]
    }

    private func filtered(
        _ sql: String, to customer: String?, _ parameters: inout [String: ClickHouseValue]
    ) -> String {
        if let customer { parameters["customer"] = .string(customer) }
        let filter = customer == nil ? "true" : "customer_id = {customer:String}"
        return sql.replacing("/* customer filter */ true", with: filter)
    }
}

/// The SQL of one metric: which winners it counts, and how it folds them.
private struct MetricColumns {
    let metric: Metric
    let index: Int

    /// Of one event: whether the metric counts it, and its quantity; NULL if that cannot be read.
    func renderValues(_ parameters: inout [String: ClickHouseValue]) -> String {
        let passes = ",\n        \(passes(&parameters)) AS passes_\(index)"
        guard metric.property != nil else { return passes }
        return passes
            + ",\n        if(passes_\(index), \(value(&parameters)), NULL) AS value_\(index)"
    }

    /// Of all events of a customer.
    func renderFolds() -> String {
        let (passes, value) = ("passes_\(index)", "value_\(index)")
        let fold =
            switch metric.aggregation {
            case .count: "countIf(\(passes))"
            case .sum: "sum(\(value))"
            case .max: "max(\(value))"
            case .uniqueCount: "uniqExact(\(value))"
            case .latest: "argMaxIf(\(value), (timestamp, transaction_id), isNotNull(\(value)))"
            }
        let unparsable =
            metric.aggregation == .count
            ? "toUInt64(0)" : "countIf(\(passes) AND isNull(\(value)))"
        return """
            ,
                countIf(\(passes)) AS events_\(index),
                if(events_\(index) = 0, NULL, toString(\(fold))) AS quantity_\(index),
                \(unparsable) AS unparsable_\(index)
            """
    }

    /// The metric's code if this event's quantity cannot be read, else an empty text.
    func renderReason(_ parameters: inout [String: ClickHouseValue]) -> String {
        let unreadable = "(\(passes(&parameters))) AND isNull(\(value(&parameters)))"
        return "if(\(unreadable), \(bind(metric.code, "code", &parameters)), '')"
    }

    private func value(_ parameters: inout [String: ClickHouseValue]) -> String {
        let property = metric.property ?? ""
        return metric.aggregation == .uniqueCount
            ? text(bind(property, "property", &parameters))
            : exactQuantity(of: property, &parameters)
    }

    private func passes(_ parameters: inout [String: ClickHouseValue]) -> String {
        let type = "event_type = \(bind(metric.eventType, "type", &parameters))"
        return metric.conditions.enumerated().reduce(type) { clauses, item in
            "\(clauses) AND \(render(item.element, item.offset, &parameters))"
        }
    }

    private func render(
        _ condition: Condition, _ position: Int, _ parameters: inout [String: ClickHouseValue]
    ) -> String {
        let property = bind(condition.property, "where\(position)", &parameters)
        // What is used again gets a name: a long catalog makes a long question.
        let name = "m\(index)_where\(position)"
        let text = "\(name)_text"
        let number = number(property, text: text)
        let test: String
        switch condition.test {
        case .isOne(let values):
            parameters["\(name)_values"] = .strings(values)
            parameters["\(name)_numbers"] = .strings(
                values.compactMap { ExactDecimal($0)?.description })
            test = """
                has({\(name)_values:Array(String)}, \(text)) OR arrayExists(x -> \
                toDecimal256OrNull(x, 30) = \(number), {\(name)_numbers:Array(String)})
                """
        case .bounds(let bounds):
            let sorted = bounds.sorted { $0.key.rawValue < $1.key.rawValue }
            test = sorted.enumerated().map { place, bound in
                let value = bind(
                    "\(bound.value)", "where\(position)_\(bound.key.rawValue)", &parameters)
                let operand = place == 0 ? "(\(number) AS \(name)_number)" : "\(name)_number"
                return "\(operand) \(bound.key.operator) toDecimal256(\(value), 30)"
            }.joined(separator: " AND ")
        }
        return """
            if(isNull(\(self.text(property)) AS \(text)), \(condition.passesWhenMissing), \
            ifNull(\(test), false))
            """
    }

    private func bind(
        _ value: String, _ name: String, _ parameters: inout [String: ClickHouseValue]
    ) -> String {
        let name = "m\(index)_\(name)"
        parameters[name] = .string(value)
        return "{\(name):String}"
    }

    /// A property as text: strings without their quotes, anything else as it is written; NULL if it is
    /// missing or null.
    private func text(_ property: String) -> String {
        """
        multiIf(JSONType(properties, \(property)) = 'String', JSONExtract(properties, \(property), \
        'Nullable(String)'), JSONType(properties, \(property)) = 'Null', NULL, \
        toNullable(JSONExtractRaw(properties, \(property))))
        """
    }

    /// A property as a number to compare with; NULL if it is none. The pattern is needed because
    /// ClickHouse reads "-" and "e5" as 0, and "1.2.3" as 1.23.
    private func number(_ property: String, text: String) -> String {
        """
        if(JSONType(properties, \(property)) IN ('Int64', 'UInt64', 'Double') \
        OR match(\(text), '^-?[0-9]+(\\\\.[0-9]+)?$'), toDecimal256OrNull(\(text), 30), NULL)
        """
    }

    /// A property as an exact number; NULL if that cannot be had.
    private func exactQuantity(
        of property: String, _ parameters: inout [String: ClickHouseValue]
    ) -> String {
        let name = bind(property, "property", &parameters)
        let written = bind(Self.writtenNumber(of: property), "written", &parameters)
        return SQL.exactQuantity
            .split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("--") }
            .joined(separator: " ")
            .replacing("{property:String}", with: name)
            .replacing("{written_number:String}", with: written)
    }

    /// A pattern for the numbers that stand under a name in the text of a JSON object, at any depth; a
    /// name that is written with escapes may be any name.
    private static func writtenNumber(of property: String) -> String {
        let name = property.unicodeScalars.reduce(into: "") { pattern, scalar in
            let isPunctuation =
                scalar.isASCII && scalar != "_" && !scalar.properties.isAlphabetic
                && scalar.properties.numericType == nil
            if isPunctuation { pattern += "\\" }
            pattern.unicodeScalars.append(scalar)
        }
        return #""(?:\#(name)|(?:[^"\\]*\\.)+[^"\\]*)"\s*:\s*(-?[0-9][-+.0-9eE]*)"#
    }
}

extension Condition.Comparison {
    fileprivate var `operator`: String {
        switch self {
        case .gte: ">="
        case .gt: ">"
        case .lte: "<="
        case .lt: "<"
        }
    }
}
