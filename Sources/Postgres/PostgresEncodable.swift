/// A value that can be bound to `$1`.
///
/// Its type is left to the server, which takes it from the place where the parameter stands; where
/// there is no such place (`unnest($1)`), write the type: `unnest($1::text[])`.
package protocol PostgresEncodable: Sendable {
    var postgresParameter: PostgresParameter { get }
}

/// What travels to the server for one parameter.
package enum PostgresParameter: Sendable, Hashable {
    case null
    /// In Postgres' text format.
    case text(String)
    /// A `bytea`, unescaped.
    case bytes([UInt8])
}

extension String: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(self) }
}

extension Int: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Int64: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Double: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(description) }
}

extension Bool: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(self ? "t" : "f") }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package var postgresParameter: PostgresParameter { self?.postgresParameter ?? .null }
}

/// What an array may hold to be a parameter: bytes (`bytea`), or elements of a Postgres array.
package protocol PostgresArrayElement: Sendable {
    static func postgresParameter(array: [Self]) -> PostgresParameter
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package var postgresParameter: PostgresParameter { Element.postgresParameter(array: self) }
}

extension UInt8: PostgresArrayElement {
    package static func postgresParameter(array: [UInt8]) -> PostgresParameter { .bytes(array) }
}

extension Int: PostgresArrayElement {
    package static func postgresParameter(array: [Int]) -> PostgresParameter {
        .text("{" + array.map(String.init).joined(separator: ",") + "}")
    }
}

extension Int64: PostgresArrayElement {
    package static func postgresParameter(array: [Int64]) -> PostgresParameter {
        .text("{" + array.map { String($0) }.joined(separator: ",") + "}")
    }
}

extension String: PostgresArrayElement {
    package static func postgresParameter(array: [String]) -> PostgresParameter {
        var text = "{"
        for element in array {
            text += text.utf8.count > 1 ? ",\"" : "\""
            for scalar in element.unicodeScalars {
                if scalar == "\"" || scalar == "\\" { text.unicodeScalars.append("\\") }
                text.unicodeScalars.append(scalar)
            }
            text += "\""
        }
        return .text(text + "}")
    }
}
