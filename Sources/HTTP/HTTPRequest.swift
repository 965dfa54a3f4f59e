/// One HTTP request, as a value; nothing happens until an ``HTTPClient`` sends it.
///
/// Its description is the method and the address without query: never a header or the body.
package struct HTTPRequest: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// `GET`, `POST`, ...: sent as it is.
    package var method: String
    /// An `http` or `https` address. Credentials in it (`user:password@`) are refused: send a
    /// header.
    package var url: String
    /// What the caller adds. `Content-Length`, `Transfer-Encoding` and `Expect` are refused: the
    /// body decides them.
    package var headers: HTTPHeaders
    package var body: HTTPBody
    /// Sends the body as gzip, and says so in `Content-Encoding`.
    package var compressesBody: Bool
    /// Asks for gzip and gives the body unpacked. The headers stay as they came: `Content-Length`
    /// then counts packed bytes.
    package var decodesResponse: Bool
    package var timeouts: HTTPTimeouts
    /// The largest body `send` collects, in bytes after unpacking; more is `.responseTooLarge`.
    package var maximumResponseBytes: Int
    /// Whether the request may reach the server twice without harm. By default what RFC 9110 9.2.2
    /// calls idempotent: `GET`, `HEAD`, `OPTIONS`, `PUT`, `DELETE`.
    ///
    /// A kept-alive connection can be closed by the server just as a request sets out on it. A
    /// repeatable request is then sent again on a new connection; any other fails as `.receive`,
    /// and `serverMayHaveActed` is true. Set it for a query that travels as `POST`.
    package var isRepeatable: Bool
    package var version: HTTPVersionChoice
    /// Leaves the path out of errors and descriptions too, for addresses that are a secret
    /// themselves (chat webhooks, dead-man's switches).
    package var pathIsSecret: Bool

    package init(
        method: String = "GET", url: String, headers: HTTPHeaders = [:], body: HTTPBody = .none,
        compressesBody: Bool = false, decodesResponse: Bool = true,
        timeouts: HTTPTimeouts = HTTPTimeouts(), maximumResponseBytes: Int = 16 << 20,
        isRepeatable: Bool? = nil, version: HTTPVersionChoice = .automatic,
        pathIsSecret: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.compressesBody = compressesBody
        self.decodesResponse = decodesResponse
        self.timeouts = timeouts
        self.maximumResponseBytes = maximumResponseBytes
        let idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]
        self.isRepeatable = isRepeatable ?? idempotent.contains(method)
        self.version = version
        self.pathIsSecret = pathIsSecret
    }

    package var description: String {
        "\(method) \(RequestTarget.describe(url, hidingPath: pathIsSecret))"
    }

    package var debugDescription: String { description }
}

/// What a request carries.
package enum HTTPBody: Sendable {
    /// Nothing; `POST`, `PUT` and `PATCH` say `Content-Length: 0`.
    case none
    /// All of it, with its `Content-Length`.
    case bytes([UInt8])
    /// Chunks asked for one by one, while the request is on its way; `nil` ends the body.
    ///
    /// The closure is called again only when less than ``HTTPClient/windowBytes`` wait to be sent.
    /// What it throws breaks the request off, and arrives as `.requestBodyFailed` with that error
    /// beneath. It runs in a child task, which is cancelled when the request is over and must then
    /// return.
    case stream(@Sendable () async throws -> [UInt8]?)
}

/// How long a request may take, in seconds; `nil` is without limit.
package struct HTTPTimeouts: Sendable, Equatable {
    /// Name look-up, TCP and TLS together. Waiting for a free connection does not count.
    package var connectSeconds: Double
    /// From the call to the last byte of the response, waiting for a free connection and every
    /// pause included.
    package var totalSeconds: Double?
    /// No byte moved in either direction for that long, once the request is on its way; a server
    /// that thinks before it answers counts. Time in which the caller does not read, or has nothing
    /// to send, does not.
    package var stalledSeconds: Double?

    package init(
        connectSeconds: Double = 10, totalSeconds: Double? = nil, stalledSeconds: Double? = 60
    ) {
        self.connectSeconds = connectSeconds
        self.totalSeconds = totalSeconds
        self.stalledSeconds = stalledSeconds
    }
}

/// Which HTTP version a request speaks.
package enum HTTPVersionChoice: Sendable {
    /// HTTP/2 where TLS negotiates it; HTTP/1.1 over plain TCP and for whatever streams.
    ///
    /// Streams keep a connection to themselves because a paused HTTP/2 stream holds up the others
    /// beside it.
    case automatic
    case http1
}
