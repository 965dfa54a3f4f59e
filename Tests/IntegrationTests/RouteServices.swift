import Dispatch
import Foundation
import Glibc
import Synchronization
import Testing

/// A service that writes down what it gets, and answers what it is told to.
final class RouteService: Sendable {
    let server: LoopbackServer
    private let state = Mutex((heard: [String](), answer: "202 Accepted", isHeld: false))
    private let gate = DispatchSemaphore(value: 0)

    init() throws {
        server = try LoopbackServer()
        server.serve { [self] client, _ in
            var bytes = LoopbackServer.receive(client) ?? []
            while !Self.isWhole(bytes), let more = LoopbackServer.receive(client) {
                bytes += more
            }
            let (answer, isHeld) = state.withLock { state in
                state.heard.append(String(decoding: bytes, as: UTF8.self))
                return (state.answer, state.isHeld)
            }
            if isHeld { gate.wait() }
            let text = "HTTP/1.1 \(answer)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            LoopbackServer.send(Array(text.utf8), to: client)
            shutdown(client, Int32(SHUT_RDWR))
        }
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        let parts = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\r\n\r\n", maxSplits: 1)
        let length = parts.first?.firstMatch(of: #/(?i)content-length: (\d+)/#)
            .flatMap { Int($0.1) }
        return parts.count == 2 && parts[1].utf8.count >= length ?? 0
    }

    var heard: [String] { state.withLock { $0.heard } }
    func answer(_ text: String) { state.withLock { $0.answer = text } }
    var url: String { "http://127.0.0.1:\(server.port)" }

    /// The next request is answered when it is released.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        state.withLock { $0.isHeld = false }
        gate.signal()
    }
}

/// aiosmtpd with a certificate of its own.
final class MailServer: Sendable {
    let port: Int
    let certificate: String
    private let server: PythonServer

    /// - Parameter isPlain: takes everything, and does not speak TLS.
    init(_ stack: Stack, isPlain: Bool = false) async throws {
        let name = stack.folder + (isPlain ? "/plain" : "/mail")
        certificate = name + ".pem"
        let made = try await Tool.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", name + ".key", "-out", certificate)
        try #require(made.status == 0, "\(made.errors)")
        server = try await PythonServer(
            "Tests/IntegrationTests/mail_server.py",
            [certificate, name + ".key"] + (isPlain ? ["plain"] : []), output: name + ".taken")
        port = try #require(Int(server.firstLine))
    }

    /// A mail each; of a plain one also who signs in.
    func mails() throws -> [[String: Any]] {
        try server.lines().map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }
}
