import Foundation
import Testing

@testable import Usage

/// Holds the scanner against Foundation's, on random documents.
struct ImportJSONPropertyTests {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    private static let scalars = [
        "a", "Z", "0", " ", "é", "€", "😀", #"\n"#, #"\""#, #"\\"#, #"\u00e9"#, #"\ud83d\ude00"#,
    ]
    private static let numbers = ["0", "-1", "12.50", "3e2", "-4.5E-3", "123456789012345678"]
    private static let mutations =
        Array(#"{}[],:"\0129-+.eEutfn /"#.utf8) + [0x80, 0xC3, 0xED, 0x1F]

    private func string(_ random: inout Seeded) -> String {
        let content = (0..<Int.random(in: 0...5, using: &random))
            .map { _ in Self.scalars.randomElement(using: &random)! }
        return "\"" + content.joined() + "\""
    }

    private func value(depth: Int, _ random: inout Seeded) -> String {
        let count = Int.random(in: 0...4, using: &random)
        switch Int.random(in: 0...(depth > 3 ? 4 : 7), using: &random) {
        case 0: return Self.numbers.randomElement(using: &random)!
        case 1: return ["true", "false", "null"].randomElement(using: &random)!
        case 2...4: return string(&random)
        case 5:
            let elements = (0..<count).map { _ in value(depth: depth + 1, &random) }
            return "[" + elements.joined(separator: ", ") + "]"
        default:
            let members = (0..<count).map {
                "\"k\($0)\(string(&random).dropFirst())" + ":" + value(depth: depth + 1, &random)
            }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    private func foundationReads(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    @Test(arguments: 0..<40)
    func `strings and structure are as Foundation reads them`(seed: UInt64) throws {
        var random = Seeded(state: seed)
        for _ in 0..<50 {
            let text = "[" + value(depth: 0, &random) + "]"
            let document = try JSONScanner.parse(Array(text.utf8))
            let expected = try #require(foundationReads(Array(text.utf8)) as? [Any])
            #expect(isSame(document, at: 0, expected), "\(text)")
            #expect(document.replacing([:]) == Array(text.utf8))
        }
    }

    @Test(arguments: 0..<40)
    func `a mutated document is refused where Foundation refuses it`(seed: UInt64) {
        var random = Seeded(state: 1000 + seed)
        for _ in 0..<200 {
            var bytes = Array(value(depth: 0, &random).utf8)
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[index] = Self.mutations.randomElement(using: &random)!
                case 1: bytes.insert(Self.mutations.randomElement(using: &random)!, at: index)
                default: if bytes.count > 1 { bytes.remove(at: index) }
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let document = try JSONScanner.parse(bytes)
                // Foundation refuses a number beyond Double, which is JSON all the same.
                #expect(foundationReads(bytes) != nil || isBeyondDouble(document), "\(text)")
            } catch {
                switch error.fault {
                // Foundation lets these pass, and a comma before a closing brace.
                case .duplicateKey, .loneSurrogate: break
                case .unexpectedByte where bytes[error.offset] == UInt8(ascii: "}"): break
                default: #expect(foundationReads(bytes) == nil, "\(text): \(error)")
                }
            }
        }
    }

    private func isBeyondDouble(_ document: JSONDocument) -> Bool {
        document.nodes.indices.contains {
            Double(String(decoding: document.raw(at: $0), as: UTF8.self))?.isInfinite ?? false
        }
    }

    private func isSame(_ document: JSONDocument, at index: Int, _ expected: Any) -> Bool {
        let children = Array(document.children(of: index))
        switch document.nodes[index].kind {
        case .string: return document.string(at: index) == expected as? String
        case .null: return expected is NSNull
        case .true: return expected as? Bool == true
        case .false: return expected as? Bool == false
        case .number:
            return Double(String(decoding: document.raw(at: index), as: UTF8.self))
                == (expected as? NSNumber)?.doubleValue
        case .array:
            guard let expected = expected as? [Any], expected.count == children.count else {
                return false
            }
            return zip(children, expected).allSatisfy { isSame(document, at: $0, $1) }
        case .object:
            guard let expected = expected as? [String: Any], expected.count == children.count
            else { return false }
            return children.allSatisfy { child in
                expected[document.key(of: child)].map { isSame(document, at: child, $0) } ?? false
            }
        }
    }
}
