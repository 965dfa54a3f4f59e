internal import CLibpq

extension PostgresConnection {
    /// Reads a result of any size in batches, through a cursor of the server; memory stays flat.
    ///
    /// Outside a transaction it opens a read-only one, so that all batches see the same moment.
    /// `body` may query the same connection.
    ///
    /// - Parameter timeoutSeconds: for each batch.
    package func forEachBatch(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], batchSize: Int = 10_000,
        timeoutSeconds: Double? = nil, _ body: ([PostgresRow]) throws -> Void
    ) throws {
        precondition(batchSize > 0, "a batch holds at least one row")
        let isOwn = try wire().transactionStatus == PQTRANS_IDLE
        if isOwn { try beginTransaction(.readCommitted, readOnly: true) }
        cursors += 1
        let cursor = "meterflow_\(cursors)"
        do {
            let declare = PostgresStatement(
                "DECLARE \(cursor) NO SCROLL CURSOR FOR \(sql)", parameters)
            _ = try run(declare, patience(.statement, for: sql, timeoutSeconds: timeoutSeconds))
            let fetch = PostgresStatement("FETCH FORWARD \(batchSize) FROM \(cursor)")
            while true {
                let patience = patience(.statement, for: sql, timeoutSeconds: timeoutSeconds)
                let rows = try run(fetch, patience).result.rows
                if !rows.isEmpty { try body(rows) }
                if rows.count < batchSize { break }
            }
            try query("CLOSE \(cursor)")
        } catch {
            if isOwn {
                rollBack()
            } else if isInTransaction {
                _ = try? query("CLOSE \(cursor)")
            }
            throw error
        }
        if isOwn { try commit() }
    }
}
