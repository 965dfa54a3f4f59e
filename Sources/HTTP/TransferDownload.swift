internal import Synchronization

/// The response's way: from libcurl's callbacks to the task that reads.
extension Transfer {
    /// What a callback tells libcurl.
    enum Verdict {
        case taken
        /// Keep the bytes and offer them again after a resume.
        case pause
        case abort
    }

    private static let maximumHeadBytes = 256 << 10

    // MARK: On the driving thread

    /// One line of a head, with its line end; the empty line ends it.
    func receiveHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        var text = Substring(String(decoding: bytes, as: UTF8.self))
        while let last = text.unicodeScalars.last, last == "\r" || last == "\n" {
            text.unicodeScalars.removeLast()
        }
        let (verdict, waiting) = state.withLock { state -> (Verdict, Waiting) in
            // Lines after the head are trailers, which nobody reads.
            guard state.head == nil else { return (.taken, []) }
            state.phase = .receiving
            state.headBytes += bytes.count
            guard state.headBytes <= Self.maximumHeadBytes else {
                return (
                    .abort,
                    settle(&state) { .failed(.responseTooLarge(Self.maximumHeadBytes, $0)) }
                )
            }
            Self.read(line: text, into: &state)
            return (.taken, state.head == nil ? [] : takeReader(of: &state))
        }
        for continuation in waiting { continuation.resume() }
        return verdict
    }

    /// Whoever reads a stream is woken by each part; `send` only by the outcome.
    private func takeReader(of state: inout State) -> Waiting {
        guard request.maximumResponseBytes == nil, let reader = state.reader.take() else {
            return []
        }
        return [reader]
    }

    private static func read(line: Substring, into state: inout State) {
        if line.hasPrefix("HTTP/") {
            let words = line.dropFirst(5).split(separator: " ", maxSplits: 2)
            let status = words.count > 1 ? Int(words[1]) : nil
            state.partialHead = HTTPResponseHead(
                status: status ?? 0, version: String(words.first ?? ""), headers: [:])
        } else if line.isEmpty {
            // 1xx heads are interim; 101 would be final, but nobody asks for an upgrade.
            if let head = state.partialHead, head.status >= 200 { state.head = head }
            state.partialHead = nil
        } else if line.first == " " || line.first == "\t" {
            state.partialHead?.headers.continueLast(with: trimmed(line))
        } else if let colon = line.firstIndex(of: ":") {
            state.partialHead?.headers.append(
                String(line[..<colon]), trimmed(line[line.index(after: colon)...]))
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }

    /// Bytes of the body, unpacked.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        let (verdict, waiting) = state.withLock { state -> (Verdict, Waiting) in
            guard state.outcome == nil else { return (.abort, []) }
            let size = state.received.count + bytes.count
            if let limit = request.maximumResponseBytes, size > limit {
                return (.abort, settle(&state) { .failed(.responseTooLarge(limit, $0)) })
            }
            if request.maximumResponseBytes == nil, size > HTTPClient.windowBytes {
                state.receivingIsPaused = true
                return (.pause, takeReader(of: &state))
            }
            state.received.append(contentsOf: bytes)
            return (.taken, takeReader(of: &state))
        }
        for continuation in waiting { continuation.resume() }
        return verdict
    }

    // MARK: On the reading task

    /// Waits for the final response's head.
    func awaitHead() async throws(HTTPError) -> HTTPResponseHead {
        while true {
            let (head, outcome) = state.withLock { ($0.head, $0.outcome) }
            if let head { return head }
            switch outcome {
            case .failed(let error): throw error
            // libcurl calls a head that breaks off complete.
            case .complete: throw state.withLock { .noHead($0.errorContext(request)) }
            case nil: await waitToRead { $0.head != nil }
            }
        }
    }

    /// Waits for everything.
    func awaitResponse() async throws(HTTPError) -> HTTPResponse {
        await waitToRead { _ in false }
        let (body, outcome) = state.withLock { state in
            defer { state.received = [] }
            return (state.received, state.outcome)
        }
        switch outcome {
        case nil: preconditionFailure("woken before the outcome")
        case .failed(let error): throw error
        case .complete: break
        }
        let head = try await awaitHead()
        return HTTPResponse(
            status: head.status, headers: head.headers, body: body, version: head.version)
    }

    /// The next bytes of a streamed body; nil at its end.
    func nextChunk() async throws(HTTPError) -> [UInt8]? {
        while true {
            let (chunk, outcome, resumes) = state.withLock { state in
                let chunk = state.received
                state.received = []
                let resumes = state.receivingIsPaused && state.outcome == nil
                if resumes { state.receivingIsPaused = false }
                return (chunk, state.outcome, resumes)
            }
            if resumes { driver.post(.resume(self)) }
            if !chunk.isEmpty { return chunk }
            switch outcome {
            case .complete: return nil
            case .failed(let error): throw error
            case nil: await waitToRead { !$0.received.isEmpty }
            }
        }
    }

    /// Returns once `ready` holds or the outcome is known. One task at a time reads a response.
    private func waitToRead(_ ready: (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.outcome != nil || ready(state) { return true }
                precondition(state.reader == nil, "two tasks read one response")
                state.reader = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
