internal import Digest
internal import Ledger

/// What other programs read: the body of a signed call, and a line of a file.
enum WebhookCall {
    static func body(_ note: AlertNote, message: Int64, source: String) -> JSON {
        .object([
            ("id", .string("\(source)-\(message)")), ("action", .string(note.action.rawValue)),
            ("key", .string(note.alert.key)), ("kind", .string(note.alert.kind)),
            ("severity", .string(note.alert.severity.rawValue)),
            ("subject", .string(note.alert.subject)), ("at", .string("\(note.at)")),
            ("body", .raw(note.alert.body)),
        ])
    }

    /// `MeterFlow-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, the way Stripe signs.
    static func signature(of body: [UInt8], secret: String, at time: Int64) -> String {
        let code = HMACSHA256.authenticate(
            Array("\(time).".utf8) + body, key: Array(secret.utf8))
        return "t=\(time),v1=\(hexadecimal(code))"
    }
}
