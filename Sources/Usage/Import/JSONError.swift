/// Why bytes are not one strict JSON text, and where.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Fault: Hashable, Sendable {
        case unexpectedEnd
        case unexpectedByte
        case trailingBytes
        case invalidUTF8
        case controlCharacter
        case badEscape
        case loneSurrogate
        case badNumber
        case tooDeep
        case duplicateKey(String)
    }

    package let fault: Fault
    /// The offset, in bytes from the start of the text, at which it went wrong.
    package let offset: Int

    package var description: String {
        let place = "at byte \(offset + 1)"
        return switch fault {
        case .unexpectedEnd: "the text ends before the JSON value does"
        case .unexpectedByte: "\(place) stands something that JSON does not allow there"
        case .trailingBytes: "\(place) something follows the JSON value"
        case .invalidUTF8: "\(place) is not UTF-8"
        case .controlCharacter: "\(place) a control character stands in a string; escape it"
        case .badEscape: "\(place) a backslash is followed by something that is no JSON escape"
        case .loneSurrogate: "\(place) half of a surrogate pair stands alone"
        case .badNumber: "\(place) is not a JSON number"
        case .tooDeep: "\(place) the nesting is deeper than \(JSONScanner.maxDepth) levels"
        case .duplicateKey(let key): "the key \"\(excerpt(key))\" stands twice in one object"
        }
    }
}
