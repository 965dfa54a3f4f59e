/// The parameters that every served operation takes, as Stripe's OpenAPI document lists them
/// (2026-05-27.dahlia; the requests are the same in 2026-10-28.endive).
///
/// The data stands as text: an operation at the margin, below it `name: type`, indented by two
/// for the fields of an object. `!` after a name: required. `or empty`: the empty text removes
/// what was set. `unserved`: Stripe knows these and the simulator refuses them.
package struct ParameterTable: Sendable {
    package let operations: [Operation]

    package struct Operation: Sendable {
        package let method: String
        /// `/v1/invoices/{invoice}/add_lines`.
        package let path: String
        let segments: [Segment]
        let rules: ParameterRules

        enum Segment: Sendable, Equatable {
            case word(String)
            case id
        }

        /// Method and path template: what a rate limit counts.
        package var name: String { "\(method) \(path)" }
    }

    package static let stripe = ParameterTable(invoices + "\n" + others)

    init(_ text: String) {
        var operations: [Operation] = []
        var lines = text.split(separator: "\n")[...]
        while let line = lines.popFirst() {
            let words = line.split(separator: " ")
            precondition(words.count == 2, "no operation: \(line)")
            let segments = words[1].split(separator: "/").map { segment in
                segment.hasPrefix("{") ? Operation.Segment.id : .word(String(segment))
            }
            operations.append(
                Operation(
                    method: String(words[0]), path: String(words[1]), segments: segments,
                    rules: ParameterRules(&lines, indentation: 2)))
        }
        self.operations = operations
        byShape = Dictionary(grouping: operations.indices) { index in
            Shape(method: operations[index].method, count: operations[index].segments.count)
        }
    }

    private struct Shape: Hashable {
        let method: String
        let count: Int
    }

    private let byShape: [Shape: [Int]]

    /// The operation behind a method and a path, and the id that the path names.
    func operation(method: String, path: String) -> (operation: Operation, id: String?)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for index in byShape[Shape(method: method, count: parts.count)] ?? [] {
            var id: String?
            let isSame = zip(operations[index].segments, parts).allSatisfy { segment, part in
                switch segment {
                case .word(let word): return word == part
                case .id:
                    id = String(part)
                    return !part.isEmpty
                }
            }
            if isSame { return (operations[index], id) }
        }
        return nil
    }
}

/// The parameters of an operation, or the fields of an object.
struct ParameterRules: Sendable {
    private(set) var rules: [String: Rule] = [:]
    /// In the order of the table, which is the order in which missing ones are reported.
    private(set) var required: [String] = []
    private(set) var unserved: Set<String> = ["expand"]

    struct Rule: Sendable {
        let type: ParameterType
        let mayBeEmpty: Bool
    }

    /// Takes the lines of one level, and what is indented below them.
    init(_ lines: inout ArraySlice<Substring>, indentation: Int) {
        while let line = lines.first, line.prefix(while: { $0 == " " }).count == indentation {
            lines.removeFirst()
            let parts = line.dropFirst(indentation).split(separator: ": ", maxSplits: 1)
            precondition(parts.count == 2, "no parameter: \(line)")
            if parts[0] == "unserved" {
                unserved.formUnion(parts[1].split(separator: " ").map(String.init))
                continue
            }
            let isRequired = parts[0].hasSuffix("!")
            let name = String(isRequired ? parts[0].dropLast() : parts[0])
            let mayBeEmpty = parts[1].hasSuffix(" or empty")
            let fields = ParameterRules(&lines, indentation: indentation + 2)
            let type = ParameterType(
                mayBeEmpty ? parts[1].dropLast(" or empty".count) : parts[1], fields: fields)
            rules[name] = Rule(type: type, mayBeEmpty: mayBeEmpty)
            if isRequired { required.append(name) }
        }
    }
}

indirect enum ParameterType: Sendable {
    case text(maximumLength: Int)
    case integer
    case boolean
    /// Seconds since 1970.
    case time
    case currency
    case choice([String])
    case event
    case object(ParameterRules)
    case list(ParameterType)
    case metadata
    /// A whole number, or an object of `gt`, `gte`, `lt`, `lte`.
    case range

    init(_ text: Substring, fields: ParameterRules) {
        let words = text.split(separator: " ")
        switch words[0] {
        case "text": self = .text(maximumLength: words.count > 1 ? Int(words[1]) ?? 0 : 5_000)
        case "integer": self = .integer
        case "boolean": self = .boolean
        case "time": self = .time
        case "currency": self = .currency
        case "one": self = .choice(words.dropFirst(2).map(String.init))
        case "event": self = .event
        case "object": self = .object(fields)
        case "metadata": self = .metadata
        case "range": self = .range
        case "list":
            self = .list(ParameterType(text.dropFirst("list of ".count), fields: fields))
        default: preconditionFailure("no type: \(text)")
        }
    }
}
