internal import CLibpq
internal import Glibc

extension PostgresConnection {
    /// `COPY … FROM STDIN`, pulling pieces of any size until `source` returns nil; memory stays flat.
    ///
    /// An error of `source` makes the server refuse the whole COPY, and is thrown on.
    ///
    /// - Parameter timeoutSeconds: for each piece.
    /// - Returns: the rows copied.
    @discardableResult
    package func copyIn(
        _ sql: String, timeoutSeconds: Double? = nil, from source: () throws -> [UInt8]?
    ) throws -> Int {
        var patience = patience(.statement, for: sql, timeoutSeconds: timeoutSeconds)
        try begin(patience)
        let wire = try wire()
        defer { forgetIfBroken() }
        try wire.beginCopy(sql, expecting: PGRES_COPY_IN, &patience)
        do {
            while let piece = try source() {
                if Task.isCancelled {
                    throw PostgresError.interrupted(.cancelled, statement: patience.statement)
                }
                try wire.put(piece, &patience)
                patience.restart()
            }
        } catch {
            wire.abandonCopyIn(&patience)
            throw error
        }
        return try wire.endCopyIn(&patience)
    }

    /// The same with rows that are at hand.
    package func copyIn(_ sql: String, _ rows: [UInt8]) throws {
        var rest: [UInt8]? = rows
        try copyIn(sql) {
            defer { rest = nil }
            return rest
        }
    }

    /// `COPY … TO STDOUT`, in pieces of whole lines of about 64 KB; memory stays flat.
    ///
    /// An error of `sink` cancels the COPY on the server, and is thrown on.
    ///
    /// - Parameter timeoutSeconds: for each piece.
    /// - Returns: the rows copied.
    @discardableResult
    package func copyOut(
        _ sql: String, timeoutSeconds: Double? = nil, to sink: ([UInt8]) throws -> Void
    ) throws -> Int {
        var patience = patience(.statement, for: sql, timeoutSeconds: timeoutSeconds)
        try begin(patience)
        let wire = try wire()
        defer { forgetIfBroken() }
        try wire.beginCopy(sql, expecting: PGRES_COPY_OUT, &patience)
        var isAtEnd = false
        do {
            while let piece = try wire.take(&isAtEnd, &patience) {
                try sink(piece)
                patience.restart()
            }
        } catch {
            wire.abandonCopyOut(&isAtEnd, &patience)
            throw error
        }
        return try wire.collect(&patience)?.result.affectedRows ?? 0
    }
}

extension Wire {
    private static let pieceBytes = 65_536

    func beginCopy(
        _ sql: String, expecting expected: ExecStatusType, _ patience: inout Patience
    ) throws(PostgresError) {
        try send(script: sql, &patience)
        guard let result = try nextResult(&patience) else { throw lost(patience.statement) }
        if result.status == expected { return }
        let error =
            result.status == PGRES_FATAL_ERROR
            ? failure(of: result, patience)
            : .usage("the statement is no COPY in this direction", statement: patience.statement)
        if result.status == PGRES_COPY_IN { abandonCopyIn(&patience) }
        if result.status == PGRES_COPY_OUT {
            var isAtEnd = false
            abandonCopyOut(&isAtEnd, &patience)
        }
        _ = try collect(&patience)
        throw error
    }

    func put(_ piece: [UInt8], _ patience: inout Patience) throws(PostgresError) {
        let sent = piece.withUnsafeBytes { bytes in
            PQputCopyData(
                connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(bytes.count))
        }
        guard sent == 1 else { throw refusal(patience.statement) }
        try flush(&patience)
    }

    func endCopyIn(_ patience: inout Patience) throws(PostgresError) -> Int {
        guard PQputCopyEnd(connection, nil) == 1 else { throw refusal(patience.statement) }
        return try collect(&patience)?.result.affectedRows ?? 0
    }

    /// Makes the server refuse what was copied so far; the session can be used again afterwards.
    func abandonCopyIn(_ patience: inout Patience) {
        guard !isBroken, PQputCopyEnd(connection, "the source failed") == 1 else {
            markBroken()
            return
        }
        _ = try? collect(&patience)
    }

    /// Cancels a COPY and reads what is still on its way.
    func abandonCopyOut(_ isAtEnd: inout Bool, _ patience: inout Patience) {
        guard !isBroken else { return }
        cancel(for: .cancelled, &patience)
        do {
            while try take(&isAtEnd, &patience) != nil {}
        } catch {
            markBroken()
        }
        _ = try? collect(&patience)
    }

    /// The next lines, or nil after the last.
    ///
    /// - Parameter isAtEnd: remembers the end, which libpq tells only once.
    func take(
        _ isAtEnd: inout Bool, _ patience: inout Patience
    ) throws(PostgresError) -> [UInt8]? {
        var piece: [UInt8] = []
        while !isAtEnd, piece.count < Self.pieceBytes {
            var line: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(connection, &line, 1)
            defer { PQfreemem(line) }
            switch length {
            case 1...: piece += UnsafeRawBufferPointer(start: line, count: Int(length))
            case 0:
                if !piece.isEmpty { return piece }
                _ = try pause(until: POLLIN, &patience)
                try consume(patience)
            case -1: isAtEnd = true
            default: throw lost(patience.statement)
            }
        }
        return piece.isEmpty ? nil : piece
    }
}
