/// A short number in properties that are written plainly, read from their text.
///
/// ClickHouse parses the whole object for every value that it extracts. Most values can be had by looking
/// for their name, where that is the same beyond doubt: the properties are a JSON object (which is parsed
/// once), and have
/// - no backslash: every quote begins or ends a string;
/// - no second brace: every name is one of the object itself;
/// - the name in quotes only once, and a colon right behind it: it is a name, no text, and not repeated.
///
/// Anything else goes the long way.
struct PlainProperty {
    /// What the name is bound to in the query, as `{name:String}`.
    let parameter: String

    /// A name that JSON writes in no other way than as it is, and whose quote cannot end a string before it.
    static func canRead(_ property: String) -> Bool {
        property.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.\- ]*/) != nil
    }

    /// A number of at most 15 digits, nine of them behind the point: a double holds it exactly. Or an
    /// integer of at most 16.
    var isNumber: String { read(as: "^-?[0-9]+(\\\\.[0-9]{1,9})?$") }

    /// Only if `isNumber`.
    var number: String { "toDecimal128OrNull(\(text), 9)" }

    /// Of at most 16 digits.
    var isInteger: String { read(as: "^-?[0-9]+$") }

    /// Only if `isInteger`.
    var integer: String { "toInt64OrZero(\(text))" }

    private var text: String { "simpleJSONExtractRaw(properties, \(parameter))" }

    /// Put together by bits, since `AND` would copy rows to look at some of them only.
    private func read(as pattern: String) -> String {
        let tests = [
            "JSONType(properties) = 'Object'", #"position(properties, '\\') = 0"#,
            "position(properties, '{', 2) = 0",
            "countSubstrings(properties, concat('\"', \(parameter), '\"')) = 1",
            "length(\(text)) <= 16", "match(\(text), '\(pattern)')",
        ]
        return tests.dropFirst().reduce(tests[0]) { "bitAnd(\($0), \($1))" }
    }
}
