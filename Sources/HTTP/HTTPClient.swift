internal import CLibcurl

/// What holds for every request of a client.
package struct HTTPClientConfiguration: Sendable {
    /// Connections open at once; further requests wait in line, and only the total time-out counts
    /// meanwhile.
    package var maximumConnections: Int
    package var maximumConnectionsPerHost: Int
    /// How long an unused connection is kept. Shorter than the server's own limit, so that it does
    /// not close connections on which a request is just setting out.
    package var idleConnectionSeconds: Int
    package var userAgent: String
    /// A PEM file with authorities to trust besides the system's folder of them.
    package var caFile: String?

    package init(
        maximumConnections: Int = 1_024, maximumConnectionsPerHost: Int = 256,
        idleConnectionSeconds: Int = 30, userAgent: String = "meterflow-jobs", caFile: String? = nil
    ) {
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerHost = maximumConnectionsPerHost
        self.idleConnectionSeconds = idleConnectionSeconds
        self.userAgent = userAgent
        self.caFile = caFile
    }
}

/// An HTTP client over libcurl: one thread drives every request, tasks only wait.
///
/// Connections are kept and used again. Proxies, redirects, cookies, `.netrc` and any scheme but
/// http and https are off. When the last reference goes, the thread ends and whatever is in flight
/// fails as `.closed`.
package final class HTTPClient: Sendable {
    /// How many bytes of a streamed body, each way, are held before the other side has to wait.
    package static let windowBytes = 256 << 10

    private let driver: Driver

    /// Starts the thread, and raises the process's file limit to its hard limit.
    ///
    /// Throws ``HTTPError`` (`.other`) if libcurl cannot be initialised or no thread can be had.
    package init(configuration: HTTPClientConfiguration = .init()) throws(HTTPError) {
        precondition(configuration.maximumConnections > 0)
        precondition(configuration.maximumConnectionsPerHost > 0)
        if let fault = Self.processSetUp { throw Self.startFailure(fault) }
        driver = Driver()
        let code = startThread { [driver] in
            DriverLoop.run(driver, configuration)
        }
        if code != 0 { throw Self.startFailure("no thread for the HTTP client (errno \(code))") }
    }

    deinit {
        driver.stop()
    }

    /// Once a process; nil if it went well.
    static let processSetUp: String? = {
        raiseFileLimit()
        let code = meterflow_curl_global_init()
        return code == CURLE_OK ? nil : String(cString: curl_easy_strerror(code))
    }()

    private static func startFailure(_ detail: String) -> HTTPError {
        .other(
            detail,
            HTTPErrorContext(
                request: "HTTP client", phase: .preparing, serverMayHaveActed: false))
    }

    /// Sends a request and collects the response, whatever its status.
    ///
    /// Throws ``HTTPError``. Cancelling the task closes the request's connection at once (over
    /// HTTP/2, its stream).
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = try await prepare(request, streamsResponse: false)
        return try await withTaskCancellationHandler {
            await supplying(request, to: transfer) { () async -> Result<HTTPResponse, HTTPError> in
                do throws(HTTPError) {
                    return .success(try await transfer.awaitResponse())
                } catch {
                    return .failure(error)
                }
            }
        } onCancel: {
            transfer.cancel()
        }.get()
    }

    /// Sends a request and hands its response to `body` once the head is there, whatever its
    /// status.
    ///
    /// The response lives inside the closure only. Leaving it before the end, by returning or
    /// throwing, stops the transfer and closes its connection; having read to the end keeps the
    /// connection for the next request. Throws ``HTTPError``, and what `body` throws.
    package func withResponse<R: Sendable>(
        to request: HTTPRequest, _ body: (inout HTTPResponseStream) async throws -> R
    ) async throws -> R {
        let transfer = try await prepare(request, streamsResponse: true)
        return try await withTaskCancellationHandler {
            try await supplying(request, to: transfer) { () async throws -> R in
                // Before the child task that supplies the body is awaited, which may be waiting for
                // room.
                defer { transfer.cancel() }
                let head = try await transfer.awaitHead()
                var response = HTTPResponseStream(head: head, transfer: transfer)
                return try await body(&response)
            }
        } onCancel: {
            transfer.cancel()
        }
    }

    /// Stops the thread and closes every connection; what is in flight, and any later request,
    /// fails as `.closed`.
    package func shutdown() async {
        driver.stop()
        await driver.awaitEnd()
    }

    private func prepare(
        _ request: HTTPRequest, streamsResponse: Bool
    ) async throws(HTTPError) -> Transfer {
        let prepared = try await PreparedRequest.prepare(request, streamsResponse: streamsResponse)
        return Transfer(prepared, driver: driver)
    }

    /// Starts the transfer and runs `operation`, with a child task beside it that supplies a
    /// streamed body and ends with it.
    ///
    /// The cancellation handler stands by now, so that a task which is already cancelled sends
    /// nothing.
    private func supplying<R>(
        _ request: HTTPRequest, to transfer: Transfer, _ operation: () async throws -> R
    ) async rethrows -> R {
        driver.post(.start(transfer))
        guard case .stream(let source) = request.body else { return try await operation() }
        async let _: Void = transfer.pump(source, packing: request.compressesBody)
        return try await operation()
    }
}
