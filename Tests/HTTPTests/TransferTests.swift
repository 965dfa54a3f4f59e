import Testing

@testable import HTTP

/// Decisions on which a race between the task and the driving thread hangs, one after the other.
struct TransferTests {
    /// A transfer on a driver whose thread never began.
    private func transfer(_ request: HTTPRequest) async throws -> Transfer {
        Transfer(
            try await PreparedRequest.prepare(request, streamsResponse: false), driver: Driver())
    }

    private let post = HTTPRequest(
        method: "POST", url: "http://example.com/", body: .bytes([1, 2]))

    @Test func `a request that was cancelled in line may not leave`() async throws {
        let transfer = try await transfer(post)
        transfer.cancel()
        #expect(!transfer.willSend())
        let error = await #expect(throws: HTTPError.self) { try await transfer.awaitResponse() }
        #expect(error?.code == .cancelled)
        #expect(error?.serverMayHaveActed == false)
    }

    @Test(arguments: [true, false])
    func `only a repeatable request may leave twice`(isRepeatable: Bool) async throws {
        var request = post
        request.isRepeatable = isRepeatable
        let transfer = try await transfer(request)
        #expect(transfer.willSend())
        #expect(transfer.willSend() == isRepeatable)
        #expect(transfer.isSettled == !isRepeatable)
    }

    @Test func `a body that was broken off is aborted, not ended`() async throws {
        var request = post
        request.body = .stream(supply([]))
        let transfer = try await transfer(request)
        #expect(transfer.willSend())
        transfer.cancel()
        // The source ends all the same.
        await transfer.pump(supply([]), packing: false)
        #expect(fill(transfer) == .abort)
    }

    @Test func `a source that ends because its task is cancelled does not end the body`()
        async throws
    {
        var request = post
        request.body = .stream(supply([]))
        let transfer = try await transfer(request)
        #expect(transfer.willSend())
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await transfer.pump(supply([]), packing: false)
        }.value
        #expect(fill(transfer) == .abort)
    }

    @Test func `the first outcome stands`() async throws {
        let transfer = try await transfer(post)
        transfer.settle { .failed(.stalled(1, $0)) }
        #expect(transfer.failNow { .cancelled($0) }.code == .stalled)
        let error = await #expect(throws: HTTPError.self) { try await transfer.awaitResponse() }
        #expect(error?.code == .stalled)
    }

    private func fill(_ transfer: Transfer) -> Transfer.Filled {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { transfer.fill($0) }
    }
}
