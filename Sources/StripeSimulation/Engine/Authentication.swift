/// Who is let in, and in which version they speak.
enum Authentication {
    static func refusal(of request: SimulatedRequest, keys: [String]) -> StripeError? {
        guard let key = request.authorization.flatMap(key) else {
            return StripeError(
                status: 401,
                "You did not provide an API key. You need to provide your API key in the "
                    + "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                    + "YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
                    + "details, or we can help at https://support.stripe.com/.")
        }
        guard keys.contains(key) else {
            return StripeError(
                status: 401, "Invalid API Key provided: \(key.prefix(8))****\(key.suffix(4))")
        }
        if let key = request.idempotencyKey, !(1...255).contains(key.unicodeScalars.count) {
            return StripeError(
                "Idempotency keys must have 1 to 255 characters; this one has "
                    + "\(key.unicodeScalars.count).")
        }
        if let version = request.version, !isServed(version) {
            return StripeError(
                "Invalid Stripe API version: \(version). The simulator serves 2025-03-31.basil "
                    + "and later.")
        }
        return nil
    }

    /// The key of `Bearer KEY`, or the user's name of `Basic`.
    private static func key(_ authorization: String) -> String? {
        let words = authorization.split(separator: " ")
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return String(words[1])
        case "basic":
            guard let text = decodedBase64(words[1].utf8) else { return nil }
            return text.split(separator: ":", omittingEmptySubsequences: false).first
                .map(String.init)
        default: return nil
        }
    }

    private static func isServed(_ version: String) -> Bool {
        let parts = version.split(separator: ".", maxSplits: 1)
        return parts.count == 2 && parts[0] >= "2025-03-31" && parts[0].utf8.count == 10
            && ["basil", "clover", "dahlia", "endive"].contains(String(parts[1]))
    }

    private static func decodedBase64(_ text: some Sequence<UInt8>) -> String? {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var (buffer, bits): (UInt32, Int) = (0, 0)
        for character in text where character != UInt8(ascii: "=") {
            guard let digit = alphabet.firstIndex(of: character) else { return nil }
            buffer = buffer << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension StripeError {
    static func unknownPath(_ request: SimulatedRequest) -> StripeError {
        StripeError(
            status: 404,
            "Unrecognized request URL (\(request.method): \(request.path)). If you are trying to "
                + "list objects, remove the trailing slash. If you are trying to retrieve an "
                + "object, make sure you passed a valid (non-empty) identifier in your code. "
                + "Please see https://stripe.com/docs or we can help at "
                + "https://support.stripe.com/.")
    }
}
