/// A request that passed its checks, in the form the driving thread needs; it does not change any
/// more.
struct PreparedRequest: Sendable {
    enum Body: Sendable {
        case none
        case fixed([UInt8])
        /// Supplied while the request is on its way; its length is not known.
        case streamed
    }

    enum Version: Sendable {
        case http1
        case http2IfNegotiated
    }

    let method: String
    let url: String
    /// As libcurl takes them: `Name: value`, or `Name;` for an empty value.
    let headerLines: [String]
    let body: Body
    let version: Version
    let decodesResponse: Bool
    let isRepeatable: Bool
    let timeouts: HTTPTimeouts
    /// What `send` may collect; nil for a response that is read as a stream.
    let maximumResponseBytes: Int?
    let description: String

    var isMultiplexed: Bool { version == .http2IfNegotiated }

    /// Checks a request and packs its body.
    ///
    /// Throws `.invalidRequest`. Header values are never repeated in the reason: they may be
    /// secret.
    static func prepare(
        _ request: HTTPRequest, streamsResponse: Bool
    ) async throws(HTTPError) -> PreparedRequest {
        if let fault = fault(in: request) {
            throw .invalidRequest(fault, request: request.description)
        }
        let body: Body =
            switch request.body {
            case .none: .none
            case .bytes(let bytes):
                .fixed(request.compressesBody ? await GzipStream.pack(whole: bytes) : bytes)
            case .stream: .streamed
            }
        var lines = request.headers.fields.map { field in
            field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
        }
        if request.compressesBody, !request.body.isNone { lines.append("Content-Encoding: gzip") }
        // Without this libcurl waits a second for a "100 Continue" that few servers send.
        lines.append("Expect:")
        return PreparedRequest(
            method: request.method, url: request.url, headerLines: lines, body: body,
            version: version(of: request, streamsResponse: streamsResponse),
            decodesResponse: request.decodesResponse, isRepeatable: request.isRepeatable,
            timeouts: request.timeouts,
            maximumResponseBytes: streamsResponse ? nil : request.maximumResponseBytes,
            description: request.description)
    }

    private static func version(of request: HTTPRequest, streamsResponse: Bool) -> Version {
        switch request.version {
        case .http1: .http1
        case .automatic:
            request.url.lowercased().hasPrefix("https:") && !streamsResponse
                && !request.body.isStream ? .http2IfNegotiated : .http1
        }
    }

    /// What is wrong with the request, in words; nil if nothing is.
    private static func fault(in request: HTTPRequest) -> String? {
        guard isToken(request.method) else { return "the method is not an HTTP token" }
        if let fault = fault(inAddress: request.url) { return fault }
        for field in request.headers.fields {
            if let fault = fault(inHeader: field, of: request) { return fault }
        }
        let times = [
            request.timeouts.connectSeconds, request.timeouts.totalSeconds,
            request.timeouts.stalledSeconds,
        ]
        guard times.allSatisfy({ $0.map { $0 > 0 && $0 <= 1e6 } ?? true }) else {
            return "a time-out must be above 0 and at most a million seconds"
        }
        guard request.maximumResponseBytes >= 0 else { return "maximumResponseBytes is negative" }
        if !request.body.isNone, ["GET", "HEAD"].contains(request.method) {
            return "\(request.method) carries no body"
        }
        return nil
    }

    private static func fault(inAddress url: String) -> String? {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return "the address has white space, control characters or letters outside ASCII"
        }
        // libcurl would forgive one slash or three, and take the path's first part for the host.
        guard let mark = url.firstRange(of: "://"), !url[mark.upperBound...].hasPrefix("/"),
            let target = RequestTarget.read(url), target.hasHost
        else { return "the address cannot be read" }
        guard target.scheme == "http" || target.scheme == "https" else {
            return "only http and https addresses are allowed"
        }
        guard !target.hasCredentials else {
            return "credentials in the address are refused: send them as a header"
        }
        return nil
    }

    private static func fault(
        inHeader field: (name: String, value: String), of request: HTTPRequest
    ) -> String? {
        guard isToken(field.name) else { return "a header's name is not an HTTP token" }
        // Whoever can put a line break into a value can add headers, or a second request.
        guard !field.value.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 }) else {
            return "the value of header \(field.name) has a line break or NUL"
        }
        var ours = ["content-length", "transfer-encoding", "expect"]
        if request.compressesBody { ours.append("content-encoding") }
        if request.decodesResponse { ours.append("accept-encoding") }
        guard !ours.contains(field.name.lowercased()) else {
            return "header \(field.name) is set by the client itself"
        }
        return nil
    }

    /// RFC 9110, 5.6.2: what a method or a header's name may consist of.
    private static func isToken(_ text: String) -> Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: marks.contains(byte)
                }
            }
    }
}

extension HTTPBody {
    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    var isStream: Bool {
        if case .stream = self { true } else { false }
    }
}
