internal import Glibc
internal import Usage

/// A file that the user named, or standard input for `-`.
enum InputFile {
    /// Runs `body` with an open descriptor.
    static func withDescriptor<Result>(
        _ path: String, _ body: (Int32) async throws -> Result
    ) async throws -> Result {
        let descriptor = try open(path)
        defer { close(descriptor, path) }
        return try await body(descriptor)
    }

    /// All of a small file.
    static func bytes(_ path: String, maximumBytes: Int = 1 << 30) throws -> [UInt8] {
        let descriptor = try open(path)
        defer { close(descriptor, path) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw InputFileError(path, errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else {
                throw InputFileError(path: path, reason: "larger than \(maximumBytes) bytes")
            }
        }
    }

    static func text(_ path: String) throws -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw InputFileError(path: path, reason: "not UTF-8")
        }
        return text
    }

    private static func open(_ path: String) throws -> Int32 {
        if path == "-" { return STDIN_FILENO }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InputFileError(path, errno) }
        return descriptor
    }

    private static func close(_ descriptor: Int32, _ path: String) {
        if path != "-" { Glibc.close(descriptor) }
    }
}

struct InputFileError: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "\(path) cannot be read: \(reason)" }

    init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    init(_ path: String, _ code: Int32) {
        self.init(path: path, reason: String(cString: strerror(code)))
    }
}
