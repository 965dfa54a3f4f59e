/// Parameters as Stripe reads them: form-encoded, nested by brackets, `lines[0][period][start]=1`.
package struct Form: Sendable, Equatable {
    /// The value of a parameter without children; a list and an object have none.
    package private(set) var text: String?
    /// In the order in which they came. The names of a list's elements are indices, or empty.
    package private(set) var children: [Child] = []

    package struct Child: Sendable, Equatable {
        package let name: String
        package var form: Form
    }

    package init() {}

    package subscript(name: String) -> Form? {
        children.first { $0.name == name }?.form
    }

    package func text(_ name: String) -> String? { self[name]?.text }

    package func integer(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    package func bool(_ name: String) -> Bool? { text(name).map { $0 == "true" } }

    /// The parameters in a body or a query.
    ///
    /// A name that is given twice counts with its last value; `+` is a blank.
    package init(encoded: some Collection<UInt8>) {
        for pair in encoded.split(separator: UInt8(ascii: "&")) {
            let cut = pair.firstIndex(of: UInt8(ascii: "="))
            let name = Self.decoded(pair[..<(cut ?? pair.endIndex)])
            let value = cut.map { Self.decoded(pair[pair.index(after: $0)...]) } ?? []
            set(Self.path(name)[...], to: String(decoding: value, as: UTF8.self))
        }
    }

    private mutating func set(_ path: ArraySlice<String>, to value: String) {
        guard let name = path.first else {
            text = value
            return
        }
        // Neighbours usually belong together, so the last child is looked at first.
        if name.isEmpty || children.last?.name != name {
            let known = name.isEmpty ? nil : children.firstIndex { $0.name == name }
            guard let known else {
                var child = Form()
                child.set(path.dropFirst(), to: value)
                children.append(Child(name: name, form: child))
                return
            }
            children[known].form.set(path.dropFirst(), to: value)
            return
        }
        children[children.count - 1].form.set(path.dropFirst(), to: value)
    }

    /// `a[b][0]` is a, b, 0. What has no such shape is one name, which no parameter has.
    private static func path(_ name: [UInt8]) -> [String] {
        let (open, close) = (UInt8(ascii: "["), UInt8(ascii: "]"))
        guard let first = name.firstIndex(of: open), first > 0, name.last == close else {
            return [String(decoding: name, as: UTF8.self)]
        }
        var names = [String(decoding: name[..<first], as: UTF8.self)]
        var start = first + 1
        for index in start..<name.count where name[index] == close {
            let isLast = index == name.count - 1
            guard isLast || name[index + 1] == open else { continue }
            names.append(String(decoding: name[start..<index], as: UTF8.self))
            start = index + 2
        }
        // No parameter lies deeper, and depth costs stack.
        return names.count <= 16 ? names : [String(decoding: name, as: UTF8.self)]
    }

    private static func decoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit)
                else { return [byte] }
                result.append(high << 4 | low)
            default: result.append(byte)
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The same for the same parameters in any order.
    package var canonical: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        if let text {
            bytes += Array(String(text.utf8.count).utf8) + [UInt8(ascii: "=")] + Array(text.utf8)
        }
        for child in children.sorted(by: { $0.name < $1.name }) {
            bytes += Array(String(child.name.utf8.count).utf8) + [UInt8(ascii: "[")]
            bytes += child.name.utf8
            child.form.append(to: &bytes)
            bytes.append(UInt8(ascii: "]"))
        }
    }
}
