package import HTTP

/// Where the server is, and as whom we come.
package struct ClickHouseConfiguration: Sendable {
    let endpoint: String
    let user: String
    let password: String
    package let database: String

    /// - Parameter url: `http[s]://user:password@host:port/database`; reserved characters percent-encoded.
    package init(url: String) throws(ClickHouseError) {
        let form = "CLICKHOUSE_URL must read http[s]://user:password@host:port/database"
        guard
            let match = url.wholeMatch(
                of: /(https?):\/\/(?:([^:@\/]*)(?::([^@\/]*))?@)?([^\/@?#\s]+)\/([^\/@?#\s]+)/),
            let user = Self.percentDecoded(match.2 ?? "default"),
            let password = Self.percentDecoded(match.3 ?? ""),
            let database = Self.percentDecoded(match.5)
        else { throw .configuration(form) }
        endpoint = "\(match.1)://\(match.4)/"
        self.user = user
        self.password = password
        self.database = database
    }

    package init(_ other: Self, database: String) {
        (endpoint, user, password) = (other.endpoint, other.user, other.password)
        self.database = database
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2,
                digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let value = UInt8(String(digits) ?? "", radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Asks ClickHouse over HTTP: rows stream back, inserts stream in, a cancelled task's query is killed.
package final class ClickHouseClient: Sendable {
    package let configuration: ClickHouseConfiguration
    private let http: HTTPClient

    package init(configuration: ClickHouseConfiguration, http: HTTPClient) {
        self.configuration = configuration
        self.http = http
    }

    /// Runs a statement that answers nothing: DDL, `INSERT ... SELECT`.
    package func execute(_ query: ClickHouseQuery) async throws {
        try await forEachBatch(query, mayAnswerNothing: true) { _ in }
    }

    /// All rows of a small answer.
    package func rows(_ query: ClickHouseQuery) async throws -> [ClickHouseRow] {
        var rows: [ClickHouseRow] = []
        try await forEachBatch(query) { rows += $0 }
        return rows
    }

    /// A whole answer in a format such as `RowBinary`; the question bounds its size.
    package func bytes(_ query: ClickHouseQuery, format: String) async throws -> [UInt8] {
        let queryID = Self.newQueryID()
        var parameters = parameters(of: query, queryID: queryID)
        parameters.append(("default_format", format))
        var request = request(parameters, body: .bytes(Array(query.sql.utf8)))
        // Packing and unpacking binary values takes longer than they take to arrive.
        request.decodesResponse = false
        // Kept as they come and put together once: growing one array would copy all of it, again and again.
        var chunks: [[UInt8]] = []
        try await killingWhenCancelled(queryID) {
            try await self.http.withResponse(to: request) { response in
                try await self.refuseError(&response, queryID: queryID)
                do {
                    while let chunk = try await response.nextChunk() { chunks.append(chunk) }
                } catch let error as HTTPError {
                    let end = String(decoding: Self.joined(chunks).suffix(65_536), as: UTF8.self)
                    guard ClickHouseError.exceptionCode(in: end) != nil else { throw error }
                    throw ClickHouseError.server(code: nil, text: end, queryID: queryID)
                }
            }
        }
        return Self.joined(chunks)
    }

    private static func joined(_ chunks: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chunks.reduce(0) { $0 + $1.count })
        for chunk in chunks { bytes += chunk }
        return bytes
    }

    /// Hands over rows as they arrive, some thousand at a time; memory does not grow with the answer, since
    /// the server waits while `body` works.
    ///
    /// - Throws: `ClickHouseError`, also if the server fails after it has sent rows: what was handed over
    ///   until then is not the whole answer.
    package func forEachBatch(
        _ query: ClickHouseQuery, mayAnswerNothing: Bool = false,
        _ body: ([ClickHouseRow]) async throws -> Void
    ) async throws {
        let queryID = Self.newQueryID()
        var parameters = parameters(of: query, queryID: queryID)
        parameters.append(("default_format", "TabSeparatedWithNames"))
        var request = request(parameters, body: .bytes(Array(query.sql.utf8)))
        if query.mayTakeLong { request.timeouts.stalledSeconds = nil }
        try await killingWhenCancelled(queryID) {
            try await self.http.withResponse(to: request) { response in
                try await self.refuseError(&response, queryID: queryID)
                let isComplete = try await self.read(&response, queryID: queryID, body)
                guard isComplete || mayAnswerNothing else {
                    throw ClickHouseError.truncated("in the middle of a row", queryID: queryID)
                }
            }
        }
    }

    /// Streams rows into a table, compressed. The server stores a block (about a million rows) at a time,
    /// so a failed insert may have stored the first blocks.
    ///
    /// - Parameters:
    ///   - format: of the bytes, such as `JSONEachRow`.
    ///   - source: the next piece; `nil` ends the insert. What it throws breaks the insert off, and is
    ///     thrown from here.
    package func insert(
        into table: String, columns: [String], format: String,
        from source: @escaping @Sendable () async throws -> [UInt8]?
    ) async throws {
        try await insert(into: table, columns, format, body: .stream(source))
    }

    /// The same with rows that are at hand.
    ///
    /// - Parameter isCompressed: false for what hardly gets smaller, such as measured floats.
    package func insert(
        into table: String, columns: [String], format: String, rows: [UInt8],
        isCompressed: Bool = true
    ) async throws {
        try await insert(into: table, columns, format, isCompressed, body: .bytes(rows))
    }

    private func insert(
        into table: String, _ columns: [String], _ format: String, _ isCompressed: Bool = true,
        body: HTTPBody
    ) async throws {
        let queryID = Self.newQueryID()
        let sql = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) FORMAT \(format)"
        var parameters = parameters(of: ClickHouseQuery(sql), queryID: queryID)
        parameters.append(("query", sql))
        var request = request(parameters, body: body)
        request.compressesBody = isCompressed
        try await killingWhenCancelled(queryID) {
            try await self.http.withResponse(to: request) { response in
                try await self.refuseError(&response, queryID: queryID)
                _ = try await self.read(&response, queryID: queryID) { _ in }
            }
        }
    }

    // MARK: The protocol

    private func parameters(
        of query: ClickHouseQuery, queryID: String
    ) -> [(name: String, value: String)] {
        [("database", configuration.database), ("query_id", queryID)]
            + query.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            + query.parameters.sorted { $0.key < $1.key }.map {
                ("param_\($0.key)", $0.value.parameterText)
            }
    }

    private func request(_ parameters: [(name: String, value: String)], body: HTTPBody)
        -> HTTPRequest
    {
        let text =
            parameters
            .map { "\(Self.percentEncoded($0.name))=\(Self.percentEncoded($0.value))" }
            .joined(separator: "&")
        return HTTPRequest(
            method: "POST", url: "\(configuration.endpoint)?\(text)",
            headers: [
                "X-ClickHouse-User": configuration.user,
                "X-ClickHouse-Key": configuration.password,
            ],
            body: body,
            timeouts: HTTPTimeouts(connectSeconds: 10, totalSeconds: nil, stalledSeconds: 300))
    }

    private func refuseError(
        _ response: inout HTTPResponseStream, queryID: String
    ) async throws {
        let code = response.headers["X-ClickHouse-Exception-Code"].flatMap { Int($0) }
        guard response.status != 200 || code != nil else { return }
        var text: [UInt8] = []
        while text.count < 65_536, let chunk = try await response.nextChunk() { text += chunk }
        let words = String(decoding: text.prefix(65_536), as: UTF8.self)
        guard code != nil || ClickHouseError.exceptionCode(in: words) != nil else {
            throw ClickHouseError.notClickHouse(status: response.status, queryID: queryID)
        }
        throw ClickHouseError.server(code: code, text: words, queryID: queryID)
    }

    /// - Returns: whether the answer ended where a row ended.
    private func read(
        _ response: inout HTTPResponseStream, queryID: String,
        _ body: ([ClickHouseRow]) async throws -> Void
    ) async throws -> Bool {
        var reader = TabSeparated(exceptionTag: response.headers["X-ClickHouse-Exception-Tag"])
        var broken: HTTPError?
        do {
            while let chunk = try await response.nextChunk() {
                let rows = try reader.read(chunk)
                if !rows.isEmpty { try await body(rows) }
                // Chunks that are there already come without a wait: other tasks need their turn, such
                // as the one that cancels this one.
                await Task.yield()
            }
        } catch let error as HTTPError {
            broken = error
        }
        // The server ends an answer abruptly after an exception: its words tell more than the end.
        if let text = reader.serverException {
            throw ClickHouseError.server(code: nil, text: text, queryID: queryID)
        }
        if let broken { throw broken }
        return reader.isComplete
    }

    private func killingWhenCancelled(
        _ queryID: String, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as HTTPError {
            if error.code == .cancelled || Task.isCancelled { await kill(queryID) }
            if error.code == .requestBodyFailed, let cause = error.underlying { throw cause }
            throw ClickHouseError.transport(error, queryID: queryID)
        } catch {
            if Task.isCancelled { await kill(queryID) }
            throw error
        }
    }

    /// Ends a query on the server. Best effort: a server that cannot be told ends it on its own when it
    /// finds nobody reading.
    private func kill(_ queryID: String) async {
        let query = ClickHouseQuery(
            "KILL QUERY WHERE query_id = '\(queryID)' ASYNC")
        var request = request(
            parameters(of: query, queryID: Self.newQueryID()), body: .bytes(Array(query.sql.utf8)))
        request.timeouts.totalSeconds = 10
        // A task of its own: this one is cancelled, and would not send anything any more.
        _ = await Task.detached { [http] in _ = try? await http.send(request) }.value
    }

    private static func newQueryID() -> String {
        "jobs-" + (0..<4).map { _ in String(UInt32.random(in: .min ... .max), radix: 36) }.joined()
    }

    private static func percentEncoded(_ text: String) -> String {
        var result: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
