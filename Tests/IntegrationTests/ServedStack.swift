import Foundation
import Glibc
import HTTP
import StripeSimulation
import TestSupport
import Testing

/// `jobs serve` on a port of its own, which the simulator sends its events to.
struct ServedStack: Sendable {
    let submitted: SubmittedStack
    let process: JobsProcess
    let port: UInt16
    let secret: String
    private let client: HTTPClient

    fileprivate init(
        _ submitted: SubmittedStack, _ process: JobsProcess, _ port: UInt16, _ secret: String
    ) throws {
        self.submitted = submitted
        self.process = process
        self.port = port
        self.secret = secret
        client = try HTTPClient()
    }

    private var url: String { "http://127.0.0.1:\(port)" }

    func stripe(_ method: String, _ path: String, _ body: String) async throws {
        #expect(try await submitted.stripe.send(method, path, body).status == 200)
    }

    func get(_ path: String) async throws -> (status: Int, text: String) {
        try await send(HTTPRequest(method: "GET", url: url + path))
    }

    func post(
        _ path: String, _ body: [UInt8], signature: String? = nil
    ) async throws -> (status: Int, text: String) {
        var headers: HTTPHeaders = [:]
        headers["Stripe-Signature"] = signature
        return try await send(
            HTTPRequest(method: "POST", url: url + path, headers: headers, body: .bytes(body)))
    }

    private func send(_ request: HTTPRequest) async throws -> (status: Int, text: String) {
        let response = try await client.send(request)
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    func sign(_ body: [UInt8], secret: String? = nil, age: Int = 0) -> String {
        WebhookSignature.header(
            body: body, secrets: [secret ?? self.secret],
            time: Int(Date().timeIntervalSince1970) - age)
    }

    /// Sends bytes as they are, and reads until the server closes the connection.
    ///
    /// - Parameter rest: sent once anything was answered.
    /// - Returns: what was answered; and that it is still open, if the server does not close it.
    func raw(_ text: String, thenRest rest: String = "") async -> String {
        await offThePool {
            let connection = self.connection(sending: text)
            defer { close(connection) }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                var event = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                guard poll(&event, 1, 30_000) > 0 else {
                    return String(decoding: answer, as: UTF8.self) + " (still open)"
                }
                let count = read(connection, &buffer, buffer.count)
                guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
                if answer.isEmpty { Self.send(rest, to: connection) }
                answer += buffer[..<count]
            }
        }
    }

    /// What comes before a body that may be Stripe's.
    func head(length: Int) -> String {
        "POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nStripe-Signature: \(sign([]))\r\n"
            + "Content-Length: \(length)\r\n\r\n"
    }

    /// Opens connections, sends the same on each, and leaves them open.
    func hold(_ count: Int, _ text: String) -> [Int32] {
        (0..<count).map { _ in connection(sending: text) }
    }

    private func connection(sending text: String) -> Int32 {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isOpen = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        #expect(isOpen)
        Self.send(text, to: connection)
        return connection
    }

    private static func send(_ text: String, to connection: Int32) {
        _ = text.withCString { Glibc.send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }

    /// Asks the server to end.
    ///
    /// - Returns: its exit code.
    func end() async throws -> Int32? {
        process.send(SIGTERM)
        return try await process.result().status
    }
}

extension SubmittedStack {
    /// Makes an endpoint known to Stripe, as an operator does.
    ///
    /// - Returns: its secret.
    func registerEndpoint(port: UInt16) async throws -> String {
        let made = try await stack.jobs(
            ["webhooks", "endpoint", "create", "http://127.0.0.1:\(port)/webhooks/stripe"],
            with: settings([:]))
        let words = made.output.split(whereSeparator: \.isWhitespace).map(String.init)
        return try #require(words.first { $0.hasPrefix("whsec_") })
    }

    func serve(
        port: UInt16, secret: String, with changes: [String: String?] = [:]
    ) throws -> JobsProcess {
        let own: [String: String?] = [
            "STRIPE_WEBHOOK_SECRETS": "\(secret), whsec_old", "SERVE_PORT": "\(port)",
            "SERVE_REQUEST_SECONDS": "2", "CLICKHOUSE_URL": nil,
        ]
        return try stack.start(["serve"], with: settings(own.merging(changes) { $1 }))
    }
}

/// Runs a test with a server that Stripe knows.
///
/// - Parameter changes: to its environment.
func withServer(
    on postgres: OwnPostgres? = nil, with changes: [String: String?] = [:],
    _ body: (ServedStack) async throws -> Void
) async throws {
    try await withSubmittedStack(on: postgres) { submitted in
        let port = try freePort()
        let secret = try await submitted.registerEndpoint(port: port)
        let process = try submitted.serve(port: port, secret: secret, with: changes)
        let server = try ServedStack(submitted, process, port, secret)
        let deadline = ContinuousClock.now + patience
        while await (try? server.get("/readyz"))?.status != 200 {
            try #require(ContinuousClock.now < deadline, "the server does not answer")
            try #require(process.isRunning, "the server ended")
        }
        try await body(server)
        process.kill()
    }
}

/// A port that nobody listens on.
func freePort() throws -> UInt16 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
        }
    }
    try #require(isBound)
    return UInt16(bigEndian: address.sin_port)
}
