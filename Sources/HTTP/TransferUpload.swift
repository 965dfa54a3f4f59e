internal import Synchronization

/// What of a request's body waits to be sent.
struct Upload {
    private enum Kind { case none, fixed, streamed }

    private let kind: Kind
    private var bytes: [UInt8]
    private var sent = 0
    /// Whether more may come.
    private var isOpen: Bool
    private var hasSentAny = false

    init(_ body: PreparedRequest.Body) {
        switch body {
        case .none: (kind, bytes, isOpen) = (.none, [], false)
        case .fixed(let all): (kind, bytes, isOpen) = (.fixed, all, false)
        case .streamed: (kind, bytes, isOpen) = (.streamed, [], true)
        }
    }

    var waiting: Int { bytes.count - sent }
    /// Everything was handed to libcurl.
    var isDrained: Bool { !isOpen && waiting == 0 }

    /// Copies what fits; nil if nothing is there now but more may come, 0 at the end.
    mutating func copy(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let count = min(buffer.count, waiting)
        if count == 0 { return isOpen ? nil : 0 }
        bytes.withUnsafeBytes { source in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[sent..<sent + count]))
        }
        sent += count
        hasSentAny = true
        if kind == .streamed, waiting == 0 {
            bytes.removeAll(keepingCapacity: true)
            sent = 0
        }
        return count
    }

    mutating func append(_ chunk: [UInt8]) {
        // Moving the rest each time would make many small chunks cost a window each.
        if sent > bytes.count / 2 {
            bytes.removeFirst(sent)
            sent = 0
        }
        bytes += chunk
    }

    mutating func close() {
        isOpen = false
    }

    /// Starts again, for libcurl's second try; false if bytes that are gone would be needed.
    mutating func rewind() -> Bool {
        guard kind != .streamed || !hasSentAny else { return false }
        sent = 0
        return true
    }
}

/// The request body's way: from the closure that supplies it to libcurl's callback.
extension Transfer {
    /// What the callback that fills libcurl's buffer reports.
    enum Filled: Equatable {
        case bytes(Int)
        case end
        /// Ask again after a resume.
        case pause
        case abort
    }

    // MARK: On the child task of the caller

    /// Pulls chunks from `source` until it ends, the transfer is over, or the task is cancelled.
    ///
    /// Only the source's own end ends the body. A cancelled source often returns nil as well
    /// (`AsyncStream` does), and the server must not take what it has by then for the whole.
    func pump(_ source: @Sendable () async throws -> [UInt8]?, packing: Bool) async {
        do {
            let isWhole = try await packing ? pumpPacked(source) : pumpPlain(source)
            guard isWhole, !Task.isCancelled else { return cancel() }
            resumeSending { $0.upload.close() }
        } catch {
            failNow { .requestBodyFailed(error, $0) }
        }
    }

    private func pumpPlain(_ source: @Sendable () async throws -> [UInt8]?) async throws -> Bool {
        while await waitForRoom() {
            guard let chunk = try await source() else { return true }
            offer(chunk)
        }
        return false
    }

    private func pumpPacked(_ source: @Sendable () async throws -> [UInt8]?) async throws -> Bool {
        var gzip = GzipStream()
        while await waitForRoom() {
            guard let chunk = try await source() else {
                offer(gzip.finish())
                return true
            }
            var rest = chunk[...]
            while !rest.isEmpty, await waitForRoom() {
                offer(gzip.pack(rest.prefix(HTTPClient.windowBytes)))
                rest = rest.dropFirst(HTTPClient.windowBytes)
            }
        }
        return false
    }

    /// Adds bytes to what waits.
    private func offer(_ chunk: [UInt8]) {
        guard !chunk.isEmpty else { return }
        resumeSending { $0.upload.append(chunk) }
    }

    /// Changes the upload, and wakes libcurl if it was waiting for that.
    private func resumeSending(after change: (inout State) -> Void) {
        let wasPaused = state.withLock { state in
            change(&state)
            defer { state.sendingIsPaused = false }
            return state.sendingIsPaused && state.outcome == nil
        }
        if wasPaused { driver.post(.resume(self)) }
    }

    /// Waits until less than a window waits to be sent; false if the transfer is over.
    private func waitForRoom() async -> Bool {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.outcome != nil || state.upload.waiting < HTTPClient.windowBytes {
                    return true
                }
                precondition(state.writer == nil, "two tasks write one request")
                state.writer = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return !isSettled
    }

    // MARK: On the driving thread

    /// Fills libcurl's buffer with what waits.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Filled {
        let (filled, writer) = state.withLock { state in
            // A request that is broken off must not end as if it were whole.
            guard state.outcome == nil else {
                return (Filled.abort, nil as CheckedContinuation<Void, Never>?)
            }
            guard let count = state.upload.copy(into: buffer) else {
                state.sendingIsPaused = true
                return (.pause, state.writer.take())
            }
            if state.upload.isDrained, state.phase == .sending { state.phase = .awaitingResponse }
            let hasRoom = state.upload.waiting <= HTTPClient.windowBytes / 2
            return (count == 0 ? .end : .bytes(count), hasRoom ? state.writer.take() : nil)
        }
        writer?.resume()
        return filled
    }

    func rewindUpload() -> Bool {
        state.withLock { $0.upload.rewind() }
    }
}
