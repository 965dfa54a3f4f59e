internal import ClickHouse
internal import Exact

/// The SQL of one metric: which winners it counts, and how it folds them.
struct MetricColumns {
    let metric: Metric
    let index: Int

    /// A metric takes some 5 KB and 500 elements; 256 KB and 50,000 are the most that the server takes by
    /// default.
    static let longText = ["max_query_size": "16777216", "max_ast_elements": "1000000"]

    /// Of one event: whether the metric counts it, and its quantity; NULL if that cannot be read.
    func renderValues(_ parameters: inout [String: ClickHouseValue]) -> String {
        let passes = ",\n        \(passes(&parameters)) AS passes_\(index)"
        guard metric.property != nil else { return passes }
        var cases = "passes_\(index), \(value(&parameters)), NULL"
        if let plain = plain(metric.property, "property"), metric.aggregation != .uniqueCount {
            // Read of every event at once, which is faster than of some.
            cases = "bitAnd(passes_\(index), \(plain.isNumber)), \(plain.number), \(cases)"
        }
        return "\(passes),\n        multiIf(\(cases)) AS value_\(index)"
    }

    /// Of a group of events, as a tuple: key, events, unparsable ones, quantity (NULL for a count).
    func renderRollup(key: String, _ parameters: inout [String: ClickHouseValue]) -> String {
        Self.rollup(
            bind(key, "rollup", &parameters), events: "countIf(\(passes))",
            unparsable: unparsable ?? "0",
            quantity: fold(sum: { "sum(toDecimal256(\($0), 9))" }) ?? "NULL")
    }

    /// The rollup of all events, whether or not a metric counts them.
    static let allEvents = rollup("'events'", events: "count()", unparsable: "0", quantity: "NULL")

    /// Of the events of one hour of a customer, in one batch: columns of the table of hours.
    func renderHour() -> String {
        // A batch's sum fits 38 digits.
        let quantity = fold { "sum(\($0))" }.map { ",\n    \($0) AS quantity_\(index)" } ?? ""
        let unparsable = unparsable.map { ",\n    \($0) AS unparsable_\(index)" } ?? ""
        return ",\n    countIf(\(passes)) AS events_\(index)\(unparsable)\(quantity)"
    }

    /// Of the table of hours: the rows of this metric.
    func renderHourlyRows(key: String, _ parameters: inout [String: ClickHouseValue]) -> String {
        let (unparsable, quantity) =
            metric.property == nil ? ("0", "NULL") : ("unparsable_\(index)", "quantity_\(index)")
        return """
            SELECT batch, \(bind(key, "rollup", &parameters)), customer_id, hour, events_\(index), \
            \(unparsable), \(quantity)
            FROM {hours:Identifier} WHERE events_\(index) > 0
            """
    }

    /// Of the hours of a customer's day, as a tuple like that of a group of events.
    func renderDay(key: String, _ parameters: inout [String: ClickHouseValue]) -> String {
        let hasQuantity = metric.property != nil
        let fold = metric.aggregation == .max ? "max" : "sum"
        return Self.rollup(
            bind(key, "rollup", &parameters), events: "sum(events_\(index))",
            unparsable: hasQuantity ? "sum(unparsable_\(index))" : "0",
            quantity: hasQuantity ? "\(fold)(quantity_\(index))" : "NULL", digits: 38)
    }

    /// All events of the hours of a day.
    static let allEventsOfADay = rollup(
        "'events'", events: "sum(events)", unparsable: "0", quantity: "NULL", digits: 38)

    private static func rollup(
        _ key: String, events: String, unparsable: String, quantity: String, digits: Int = 76
    ) -> String {
        """
        (\(key), toUInt64(\(events)), toUInt64(\(unparsable)), \
        CAST(\(quantity), 'Nullable(Decimal(\(digits), 9))'))
        """
    }

    private var passes: String { "passes_\(index)" }

    /// How many events have no quantity; `nil` if none needs one.
    private var unparsable: String? {
        metric.property.map { _ in "countIf(\(passes) AND isNull(value_\(index)))" }
    }

    /// The quantity of a group of events; `nil` for a count.
    private func fold(sum: (String) -> String) -> String? {
        let value = "value_\(index)"
        return switch metric.aggregation {
        case .count: nil
        case .sum: sum(value)
        case .max: "max(\(value))"
        case .uniqueCount: "toDecimal256(uniqExact(\(value)), 9)"
        case .latest: "argMaxIf(\(value), (timestamp, transaction_id), isNotNull(\(value)))"
        }
    }

    /// Of what the rollups hold: how much of this metric it is.
    func renderFolds(key: String, _ parameters: inout [String: ClickHouseValue]) -> String {
        let isOwn = "rollup_key = \(bind(key, "rollup", &parameters))"
        let fold =
            switch metric.aggregation {
            case .count: "events_\(index)"
            case .sum: "sumIf(pieces.quantity, \(isOwn))"
            case .max, .uniqueCount, .latest: "maxIf(pieces.quantity, \(isOwn))"
            }
        return """
            ,
                sumIf(pieces.events, \(isOwn)) AS events_\(index),
                if(events_\(index) = 0, NULL, toString(\(fold))) AS quantity_\(index),
                sumIf(pieces.unparsable, \(isOwn)) AS unparsable_\(index)
            """
    }

    /// The same of an event whose values are at hand.
    func renderUnreadable(_ parameters: inout [String: ClickHouseValue]) -> String? {
        renderReadable().map { "if(\($0), '', \(bind(metric.code, "code", &parameters)))" }
    }

    /// Whether this event has a quantity, if the metric counts it at all.
    func renderReadable() -> String? {
        metric.property == nil ? nil : "(NOT passes_\(index) OR isNotNull(value_\(index)))"
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
            let test = render(item.element, item.offset, &parameters)
            guard item.offset == 0, let plain = plain(item.element.property, "where0"),
                let tests = integerTests(item.element, of: plain.integer)
            else { return "\(clauses) AND \(test)" }
            return "multiIf(bitAnd(\(type), \(plain.isInteger)), \(tests), \(type), \(test), false)"
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
            multiIf(\(integerTest(condition, property))isNull(\(self.text(property)) AS \(text)), \
            \(condition.passesWhenMissing), ifNull(\(test), false))
            """
    }

    /// Most numbers are integers: they are compared without a detour over text.
    private func integerTest(_ condition: Condition, _ property: String) -> String {
        let extracted = "JSONExtractInt(properties, \(property))"
        return integerTests(condition, of: extracted).map {
            "JSONType(properties, \(property)) = 'Int64', \($0), "
        } ?? ""
    }

    /// `nil` if the condition is none that compares with integers alone.
    private func integerTests(_ condition: Condition, of integer: String) -> String? {
        guard case .bounds(let bounds) = condition.test else { return nil }
        let integers = bounds.compactMapValues { Int64("\($0)") }
        guard integers.count == bounds.count else { return nil }
        return integers.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\(integer) \($0.key.operator) \($0.value)" }.joined(separator: " AND ")
    }

    /// The short way to a property that is bound to a name of this metric.
    private func plain(_ property: String?, _ name: String) -> PlainProperty? {
        guard let property, PlainProperty.canRead(property) else { return nil }
        return PlainProperty(parameter: "{m\(index)_\(name):String}")
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
