import Glibc
import Postgres
import Synchronization
import Testing

/// A TCP relay in front of the server under test that can lose what a network can lose.
///
/// Threads and blocking sockets: it lives for one test.
final class FaultyProxy: Sendable {
    enum Behaviour: Sendable {
        case relay
        /// Takes everything and passes nothing on.
        case freeze
        /// Passes this text of the client on, then hangs up without the server's answer.
        case hangUpAfter(String)
        /// Hangs up on every new client.
        case refuse
    }

    private struct State {
        var behaviour = Behaviour.relay
        var sockets: [Int32] = []
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let upstream: Upstream
    private let state = Mutex(State())

    enum Upstream: Sendable {
        case unix(path: String)
        case tcp(address: String, port: Int)
    }

    init(to upstream: Upstream) throws {
        self.upstream = upstream
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        try #require(bound, "cannot listen on the loopback interface")
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Finds the server behind a pool, runs `body` with a URL that leads through the proxy.
    static func run(
        url base: String, _ body: (FaultyProxy, _ url: String) async throws -> Void
    ) async throws {
        let direct = PostgresPool(
            configuration: PostgresConfiguration(url: base), maximumConnections: 1)
        let row = try await direct.query(
            "SELECT host(inet_server_addr()) AS address, current_setting('port')::int AS port"
        ).rows[0]
        await direct.shutdown()
        let port: Int = try row.decode("port")
        let upstream: Upstream =
            if let address = try row.decode("address", as: String?.self) {
                .tcp(address: address, port: port)
            } else {
                .unix(path: socketFolder(base) + "/.s.PGSQL.\(port)")
            }
        let proxy = try FaultyProxy(to: upstream)
        proxy.start()
        defer { proxy.stop() }
        try await body(proxy, url(url(base, "host=127.0.0.1"), "port=\(proxy.port)"))
    }

    /// The `host=` of a URL, where it is a folder; else Debian's.
    private static func socketFolder(_ url: String) -> String {
        let host = url.split(whereSeparator: { "?&".contains($0) }).last { $0.hasPrefix("host=") }
        return host.map { String($0.dropFirst(5)).replacing("%2F", with: "/") }
            ?? "/var/run/postgresql"
    }

    // MARK: Faults

    func behave(_ behaviour: Behaviour) {
        state.withLock { $0.behaviour = behaviour }
    }

    /// Cuts every connection, as a restart of the server does.
    func cutAll() {
        state.withLock { state in
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// How many clients have come.
    var clients: Int { state.withLock { $0.sockets.count / 2 } }

    func stop() {
        state.withLock { $0.isStopped = true }
        cutAll()
        shutdown(listener, Int32(SHUT_RDWR))
    }

    // MARK: Relaying

    private func start() {
        thread {
            while true {
                let client = accept(self.listener, nil, nil)
                guard client >= 0 else { break }
                self.serve(client)
            }
            close(self.listener)
        }
    }

    private func serve(_ client: Int32) {
        if case .refuse = state.withLock({ $0.behaviour }) {
            close(client)
            return
        }
        let server = dial()
        state.withLock { $0.sockets += [client, server] }
        // Descriptors stay open until the proxy goes, so that `cutAll` never hits another's.
        thread { self.pump(from: client, to: server, isClient: true) }
        thread { self.pump(from: server, to: client, isClient: false) }
    }

    private func pump(from source: Int32, to sink: Int32, isClient: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            let piece = buffer.prefix(count)
            switch state.withLock({ $0.behaviour }) {
            case .freeze: continue
            case .hangUpAfter(let text):
                guard isClient, piece.contains(Array(text.utf8)) else { break }
                shutdown(source, Int32(SHUT_RDWR))
                _ = piece.withUnsafeBytes { write(sink, $0.baseAddress, count) }
                // The server finishes what it got, then reads the end.
                shutdown(sink, Int32(SHUT_WR))
                return
            default: break
            }
            _ = piece.withUnsafeBytes { send(sink, $0.baseAddress, count, Int32(MSG_NOSIGNAL)) }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(sink, Int32(SHUT_RDWR))
    }

    private func dial() -> Int32 {
        switch upstream {
        case .tcp(let host, let port):
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(port: port)
            inet_pton(AF_INET, host, &address.sin_addr)
            connect(server, &address)
            return server
        case .unix(let path):
            let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            connect(server, &address)
            return server
        }
    }

    private func connect<Address>(_ server: Int32, _ address: inout Address) {
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(server, pointer, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func thread(_ body: @escaping @Sendable () -> Void) {
        final class Job: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var id = pthread_t()
        let job = Unmanaged.passRetained(Job(body)).toOpaque()
        pthread_create(
            &id, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, job)
        pthread_detach(id)
    }
}
