/// What came before the body.
struct HTTPResponseHead: Sendable {
    var status: Int
    /// `1.0`, `1.1` or `2`.
    var version: String
    var headers: HTTPHeaders
}

/// A whole response; any status is a response, not an error.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    /// Unpacked, unless the request said otherwise.
    package let body: [UInt8]
    /// `1.0`, `1.1` or `2`.
    package let version: String

    package init(status: Int, headers: HTTPHeaders, body: [UInt8], version: String) {
        self.status = status
        self.headers = headers
        self.body = body
        self.version = version
    }
}

/// A response whose body is read piece by piece; it lives as long as the closure that was given it.
///
/// At most ``HTTPClient/windowBytes`` are held (and what libcurl already has in hand); beyond, the
/// transfer is paused, and TCP makes the server wait.
package struct HTTPResponseStream: ~Copyable {
    package let status: Int
    package let headers: HTTPHeaders
    /// `1.0`, `1.1` or `2`.
    package let version: String
    private let transfer: Transfer

    init(head: HTTPResponseHead, transfer: Transfer) {
        status = head.status
        headers = head.headers
        version = head.version
        self.transfer = transfer
    }

    /// Whatever has arrived since the last call, or waits for it; `nil` at the end of a complete
    /// body.
    ///
    /// Throws ``HTTPError``: `.truncated` if the body ends before its announced end, and whatever
    /// else went wrong. Bytes that arrived before an error are given first.
    package mutating func nextChunk() async throws(HTTPError) -> [UInt8]? {
        try await transfer.nextChunk()
    }

    /// The rest of the body in one piece, for short ones such as a server's error text.
    ///
    /// Throws ``HTTPError``, `.responseTooLarge` if there are more than `maximumBytes`.
    package mutating func collect(maximumBytes: Int) async throws(HTTPError) -> [UInt8] {
        var all: [UInt8] = []
        while let chunk = try await nextChunk() {
            guard all.count + chunk.count <= maximumBytes else {
                throw transfer.failNow { .responseTooLarge(maximumBytes, $0) }
            }
            all += chunk
        }
        return all
    }
}
