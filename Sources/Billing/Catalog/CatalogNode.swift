internal import Exact
internal import Yams

/// Everything that is wrong with a catalog file.
package struct InvalidCatalog: Error, Sendable, CustomStringConvertible {
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        package let line: Int
        package let message: String

        package var description: String { "line \(line): \(message)" }
    }

    package let problems: [Problem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Collects mistakes while the reader goes on.
final class CatalogProblems {
    private(set) var found: [InvalidCatalog.Problem] = []

    func add(line: Int, _ message: String) {
        let problem = InvalidCatalog.Problem(line: line, message: message)
        if !found.contains(problem) { found.append(problem) }
    }
}

/// A place in the YAML file: reads values strictly, and reports what is wrong with its line.
struct CatalogNode {
    private let node: Node
    private let path: String
    private let problems: CatalogProblems

    init(_ node: Node, path: String, problems: CatalogProblems) {
        self.node = node
        self.path = path
        self.problems = problems
    }

    func report(_ message: String) {
        problems.add(line: node.mark?.line ?? 1, "\(path): \(message)")
    }

    var isMapping: Bool { node.mapping != nil }

    /// The members of a mapping; unknown, doubled and missing names are reported.
    func fields(required: [String], optional: [String] = []) -> [String: CatalogNode]? {
        guard isMapping else {
            report("expected \(required.joined(separator: ", "))")
            return nil
        }
        var fields: [String: CatalogNode] = [:]
        for (name, value) in members() {
            guard required.contains(name) || optional.contains(name) else {
                value.report(
                    "nothing is known by this name; known: "
                        + (required + optional).joined(separator: ", "))
                continue
            }
            fields[name] = value
        }
        for name in required where fields[name] == nil { report("\(name) is missing") }
        return fields
    }

    func members() -> [(name: String, value: CatalogNode)] {
        guard let mapping = node.mapping else {
            report("expected names with values")
            return []
        }
        return mapping.map { key, value in
            let name = key.scalar?.string ?? "?"
            return (name, CatalogNode(value, path: "\(path).\(name)", problems: problems))
        }
    }

    /// A member's text, if there is one; nothing is reported.
    func member(_ name: String) -> String? {
        node.mapping?[Node(name)]?.scalar?.string
    }

    func list(nonEmpty: Bool) -> [CatalogNode] {
        guard let sequence = node.sequence, !(nonEmpty && sequence.isEmpty) else {
            report(nonEmpty ? "expected a list with at least one item" : "expected a list")
            return []
        }
        return sequence.enumerated().map { index, item in
            CatalogNode(item, path: "\(path)[\(index)]", problems: problems)
        }
    }

    func refuseDuplicates(_ names: [String], of kind: String) {
        var seen: Set<String> = []
        // Items with mistakes have no name here; then only the list can be pointed at.
        let items = node.sequence?.count == names.count ? list(nonEmpty: false) : []
        for (index, name) in names.enumerated() where !seen.insert(name).inserted {
            (items.isEmpty ? self : items[index]).report(
                "there is more than one \(kind) '\(name)'")
        }
    }

    func text() -> String? {
        guard let text = node.scalar?.string, !text.isEmpty, node.tag != Tag(.null) else {
            report("expected a value")
            return nil
        }
        return text
    }

    /// Letters, digits, `-`, `_`, `.`, `:`; at most 128.
    func identifier() -> String? {
        guard let text = text() else { return nil }
        let isPlain = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isPlain, text.utf8.count <= 128 else {
            report("'\(text.prefix(40))' may have letters, digits, - _ . : and at most 128 of them")
            return nil
        }
        return text
    }

    func date() -> CivilDate? {
        guard let text = text() else { return nil }
        guard let date = CivilDate(text) else {
            report("'\(text.prefix(40))' is no date; write it as 2026-10-01")
            return nil
        }
        return date
    }

    func decimal(maximumPlaces: Int) -> ExactDecimal? {
        guard let text = text() else { return nil }
        guard let number = ExactDecimal(text), number.decimalPlaces <= maximumPlaces else {
            report("'\(text.prefix(40))' is no plain decimal number such as \"0.001\"")
            return nil
        }
        return number
    }

    /// A decimal that is not negative.
    func amount() -> ExactDecimal? {
        guard let number = decimal(maximumPlaces: 30) else { return nil }
        guard number >= .zero else {
            report("\(number) is negative")
            return nil
        }
        return number
    }

    func currency() -> Currency? {
        guard let code = text() else { return nil }
        guard let currency = Currency(code) else {
            report("'\(code.prefix(40))' is no currency that Stripe charges; lower case, e.g. usd")
            return nil
        }
        return currency
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(of: Choice.Type) -> Choice? {
        guard let text = text() else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            report("'\(text.prefix(40))' is none of \(known)")
            return nil
        }
        return choice
    }
}

extension YamlError {
    /// What is wrong, without the piece of the file that the library shows with it.
    var problem: String {
        switch self {
        case .scanner(let context, let problem, _, _), .parser(let context, let problem, _, _),
            .composer(let context, let problem, _, _):
            return ([problem] + (context.map { [$0.text] } ?? [])).joined(separator: " ")
        case .reader(let problem, _, _, _): return problem
        case .duplicatedKeysInMapping(let keys, _):
            let names = keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
            return "\(names) stands more than once in one place"
        default: return "it cannot be read"
        }
    }

    var line: Int {
        switch self {
        case .scanner(let context?, let problem, _, _) where problem.contains("end of stream"):
            // What was never closed is found at the end of the file; it began where the context says.
            context.mark.line
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: 1
        }
    }
}
