import Foundation
import Synchronization

/// `nghttpd`, an HTTP/2 server that logs every frame; it serves one folder.
final class HTTP2Server: Sendable {
    let port: UInt16
    private let folder = TemporaryFolder()
    private let process: ChildProcess

    init(certificate: Certificate, files: [String: [UInt8]] = [:]) throws {
        for (name, bytes) in files {
            try Data(bytes).write(to: URL(filePath: folder.path + "/" + name))
        }
        port = try freePort()
        // Line by line, or the log would be empty while the server runs.
        var command = ["stdbuf", "-oL", "nghttpd", "--verbose", "--address=127.0.0.1"]
        command += ["--htdocs=\(folder.path)"]
        command += ["\(port)", certificate.keyFile, certificate.file]
        process = try ChildProcess(command, output: folder.path + "/log")
        try awaitListener(on: port)
    }

    /// The log's lines so far, without colours.
    private var lines: [Substring] {
        let log = (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
        return log.replacing(#/\x{1B}\[[0-9;]*m/#, with: "").split(separator: "\n")
    }

    /// How many connections sent a request, by the ids in the log.
    var connections: Int {
        let requests = lines.filter { $0.contains("recv HEADERS frame") }
        return Set(requests.compactMap { $0.split(separator: "]").first }).count
    }

    /// The most requests that were open at once.
    var mostOpenStreams: Int {
        var (open, most) = (0, 0)
        for line in lines {
            if line.contains("recv HEADERS frame") { open += 1 }
            most = max(most, open)
            if line.contains("stream_id="), line.contains("closed") { open -= 1 }
        }
        return most
    }
}

/// A self-signed certificate for 127.0.0.1.
struct Certificate {
    let file: String
    let keyFile: String
    private let folder: TemporaryFolder

    init() throws {
        folder = TemporaryFolder()
        (file, keyFile) = (folder.path + "/certificate.pem", folder.path + "/key.pem")
        _ = try run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", keyFile, "-out", file,
        ])
    }
}

/// `openssl s_server`: takes TLS over HTTP/1.1, reads whatever comes, and answers nothing.
final class TLSSink: Sendable {
    let port: UInt16
    private let folder = TemporaryFolder()
    private let process: ChildProcess

    init(certificate: Certificate) throws {
        port = try freePort()
        process = try ChildProcess(
            [
                "openssl", "s_server", "-quiet", "-www", "-accept", "127.0.0.1:\(port)", "-cert",
                certificate.file, "-key", certificate.keyFile,
            ], output: "/dev/null")
        try awaitListener(on: port)
    }

    func end() {
        process.end()
    }
}
