/// What a JSON value is.
package enum JSONKind: Hashable, Sendable {
    case string, number, `true`, `false`, null, object, array
}

/// One value of a JSON text: where it stands, not what it means.
package struct JSONNode: Hashable, Sendable {
    package let kind: JSONKind
    /// The bytes of the value; of a string with its quotes.
    package internal(set) var span: Range<Int>
    /// The bytes of the member's key without its quotes, if the value is a member of an object.
    let keySpan: Range<Int>?
    let isKeyEscaped: Bool
    /// The index of the first node that no longer belongs to this one.
    var end: Int
}

/// A JSON text that is known to be well-formed, with the place of each of its values.
///
/// Numbers and strings stay the bytes they were, so nothing goes through a binary floating-point
/// number and nothing that is not touched is rewritten.
package struct JSONDocument: Sendable {
    package let bytes: [UInt8]
    /// The values, each before those that it contains; the first is the whole text.
    package let nodes: [JSONNode]

    package var root: JSONNode { nodes[0] }

    /// The indices of the members or elements of the value at `index`, in their order.
    package func children(of index: Int) -> Children { Children(nodes: nodes, of: index) }

    package struct Children: Sequence, IteratorProtocol {
        private let nodes: [JSONNode]
        private var index: Int
        private let end: Int

        init(nodes: [JSONNode], of parent: Int) {
            self.nodes = nodes
            self.index = parent + 1
            self.end = nodes[parent].end
        }

        package mutating func next() -> Int? {
            guard index < end else { return nil }
            defer { index = nodes[index].end }
            return index
        }
    }

    /// The decoded key under which a value stands; empty for an element or the root.
    package func key(of index: Int) -> String {
        String(decoding: keyBytes(of: index), as: UTF8.self)
    }

    /// The value of a string, its escapes resolved.
    package func string(at index: Int) -> String {
        String(decoding: stringBytes(at: index), as: UTF8.self)
    }

    /// The value of a string in UTF-8.
    package func stringBytes(at index: Int) -> [UInt8] {
        precondition(nodes[index].kind == .string)
        let span = nodes[index].span
        return JSONString.decode(bytes, in: (span.lowerBound + 1)..<(span.upperBound - 1))
    }

    /// The bytes of a value as they stand in the text.
    package func raw(at index: Int) -> ArraySlice<UInt8> { bytes[nodes[index].span] }

    /// The member of an object with this key.
    ///
    /// - Parameter key: in UTF-8; compared byte by byte, so that two spellings of an accented
    ///   letter are two keys, as they are for ClickHouse.
    package func member(_ key: [UInt8], of index: Int) -> Int? {
        guard nodes[index].kind == .object else { return nil }
        return children(of: index).first { hasKey(key, at: $0) }
    }

    /// The text with some values replaced and every other byte as it was.
    ///
    /// - Parameter replacements: by the index of the value to replace, the JSON text to put in its
    ///   place; no value may contain another one of them.
    package func replacing(_ replacements: [Int: [UInt8]], in index: Int = 0) -> [UInt8] {
        let whole = nodes[index].span
        var text: [UInt8] = []
        text.reserveCapacity(whole.count + replacements.count * 16)
        var copied = whole.lowerBound
        for (replaced, replacement) in replacements.sorted(by: { $0.key < $1.key }) {
            let span = nodes[replaced].span
            precondition(span.lowerBound >= copied && span.upperBound <= whole.upperBound)
            text.append(contentsOf: bytes[copied..<span.lowerBound])
            text.append(contentsOf: replacement)
            copied = span.upperBound
        }
        text.append(contentsOf: bytes[copied..<whole.upperBound])
        return text
    }

    func keyBytes(of index: Int) -> [UInt8] {
        guard let span = nodes[index].keySpan else { return [] }
        return nodes[index].isKeyEscaped
            ? JSONString.decode(bytes, in: span) : Array(bytes[span])
    }

    private func hasKey(_ key: [UInt8], at index: Int) -> Bool {
        guard let span = nodes[index].keySpan else { return false }
        if nodes[index].isKeyEscaped { return keyBytes(of: index) == key }
        return span.count == key.count && bytes[span].elementsEqual(key)
    }
}
