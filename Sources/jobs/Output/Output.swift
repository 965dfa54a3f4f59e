internal import Glibc
internal import Usage

/// Whoever read our output went away: nothing is left to say, and nothing is wrong.
struct BrokenOutput: Error {}

/// Writes all of a text; errors are of no interest (stderr).
func writeText(_ text: String, to descriptor: Int32) {
    try? write(Array(text.utf8), to: descriptor)
}

/// Prints a line of a command's result.
func printLine(_ text: String = "") throws {
    try write(Array((text + "\n").utf8), to: STDOUT_FILENO)
}

func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno == EINTR || errno == EAGAIN { continue }
            if errno == EPIPE { throw BrokenOutput() }
            throw Failure(
                .unavailable, "the output cannot be written: \(String(cString: strerror(errno)))")
        }
        rest = rest.dropFirst(count)
    }
}

/// JSON by hand, for rows that stream.
enum JSONText {
    static func string(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONString.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func string(_ text: String?) -> String { text.map { string($0) } ?? "null" }
}
