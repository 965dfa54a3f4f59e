/// A line of a JSON access log, read through its mapping.
struct JSONLogLine {
    /// Nil if the field is missing, null or `-`, by which AWS says that there is no value.
    let customer: [UInt8]?
    let timestampMilliseconds: Int64
    let request: LoggedRequest
    let status: Int
    let bytes: Int64
    let id: [UInt8]?

    init(_ document: JSONDocument, mapping: JSONLogMapping) throws(Rejection) {
        let fields = Fields(document: document)
        customer = try fields.text(mapping.customer)
        let time = try fields.required(mapping.time)
        do {
            timestampMilliseconds = try mapping.timeFormat.milliseconds(time[...])
        } catch {
            throw .badTimestamp(field: mapping.time.text, error)
        }
        guard let status = TextLogLine.status(try fields.required(mapping.status)[...]) else {
            throw .malformedLine(.status)
        }
        guard let bytes = TextLogLine.bytes(try fields.orHyphen(mapping.bytes)[...]) else {
            throw .malformedLine(.bytes)
        }
        self.status = status
        self.bytes = bytes
        request = LoggedRequest(
            method: try fields.orHyphen(mapping.method),
            target: try fields.orHyphen(mapping.endpoint)[...])
        if let id = mapping.id { self.id = try fields.required(id) } else { id = nil }
    }

    /// A string's value or a number's digits: gateways write a number either way.
    private struct Fields {
        let document: JSONDocument

        /// Nil if the field is missing, null, empty or `-`.
        func text(_ path: JSONPath) throws(Rejection) -> [UInt8]? {
            guard let node = path.find(in: document) else { return nil }
            switch document.nodes[node].kind {
            case .null: return nil
            case .number: return Array(document.raw(at: node))
            case .string:
                let text = document.stringBytes(at: node)
                return text.isEmpty || text == [UInt8(ascii: "-")] ? nil : text
            case .true, .false, .object, .array:
                throw .wrongType(field: path.text, expected: "a string or a number")
            }
        }

        func required(_ path: JSONPath) throws(Rejection) -> [UInt8] {
            guard let text = try text(path) else { throw .missingField(path.text) }
            return text
        }

        /// The field must be there, so that a wrong mapping shows, but it may say "no value".
        func orHyphen(_ path: JSONPath) throws(Rejection) -> [UInt8] {
            guard path.find(in: document) != nil else { throw .missingField(path.text) }
            return try text(path) ?? [UInt8(ascii: "-")]
        }
    }
}
