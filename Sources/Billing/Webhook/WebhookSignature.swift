internal import Digest

/// Why a request to the endpoint is not taken. The caller is told nothing of it.
package enum WebhookRefusal: String, Error, Sendable, CaseIterable {
    case noSignature = "no_signature"
    /// The header is not one that Stripe writes.
    case malformedSignature = "malformed_signature"
    /// No signature is by one of our secrets.
    case wrongSignature = "wrong_signature"
    /// It was signed too long ago.
    case stale
    /// It was signed too far ahead of our clock.
    case fromTheFuture = "from_the_future"
    /// It is signed, and no event.
    case unreadable
}

/// `Stripe-Signature`: `t=<unix>,v1=<hex>[,v1=<hex>…][,v0=<hex>]`. Source: docs.stripe.com/webhooks/signature.
package struct WebhookSignature: Sendable {
    /// How far the time of a signature may be from ours, both ways.
    package static let toleranceSeconds: Int64 = 300

    /// `whsec_...`, each as a whole; several while one is being rolled.
    private let secrets: [[UInt8]]

    /// Stripe writes one signature for each secret that is valid; nobody has reason to write more.
    private static let maximumSignatures = 16
    private static let maximumHeaderBytes = 4096

    package init(secrets: [String]) {
        self.secrets = secrets.map { Array($0.utf8) }
    }

    /// Whether a header is one that Stripe may have written: for whoever has not read the body yet.
    package static func check(header: String?) throws(WebhookRefusal) {
        _ = try parse(header)
    }

    /// - Parameters:
    ///   - body: the bytes as they came.
    ///   - now: Unix time in seconds.
    package func verify(header: String?, body: [UInt8], now: Int64) throws(WebhookRefusal) {
        let (time, signatures) = try Self.parse(header)
        let signed = Array("\(time).".utf8) + body
        var isValid = false
        for secret in secrets {
            let code = HMACSHA256.authenticate(signed, key: secret)
            // All are compared, so that the time does not tell which one it was.
            for signature in signatures {
                isValid = HMACSHA256.isEqual(code, signature) || isValid
            }
        }
        guard isValid else { throw .wrongSignature }
        guard now - time <= Self.toleranceSeconds else { throw .stale }
        guard time - now <= Self.toleranceSeconds else { throw .fromTheFuture }
    }

    /// Schemes other than `v1` are passed over: one that is weaker must not be a way in.
    private static func parse(
        _ header: String?
    ) throws(WebhookRefusal) -> (time: Int64, signatures: [[UInt8]]) {
        guard let header, !header.isEmpty else { throw .noSignature }
        guard header.utf8.count <= maximumHeaderBytes else { throw .malformedSignature }
        var time: Int64?
        var signatures: [[UInt8]] = []
        for part in header.utf8.split(
            separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else {
                throw .malformedSignature
            }
            let value = part[part.index(after: equals)...]
            switch String(part[..<equals]) {
            case "t":
                guard time == nil, let number = seconds(value) else { throw .malformedSignature }
                time = number
            case "v1":
                if let code = bytes(hexadecimal: value) { signatures.append(code) }
            default: break
            }
        }
        guard let time, signatures.count <= maximumSignatures else { throw .malformedSignature }
        guard !signatures.isEmpty else { throw .wrongSignature }
        return (time, signatures)
    }

    /// Written as Stripe writes it, so that what was signed can be built from the number.
    private static func seconds(_ text: Substring.UTF8View) -> Int64? {
        guard (1...12).contains(text.count), text.allSatisfy({ (48...57).contains($0) }),
            text.first != UInt8(ascii: "0")
        else { return nil }
        return Int64(String(decoding: text, as: UTF8.self))
    }

    private static func bytes(hexadecimal text: Substring.UTF8View) -> [UInt8]? {
        func digit(_ character: UInt8) -> UInt8? {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        let digits = text.compactMap(digit)
        guard digits.count == text.count, digits.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
