internal import Glibc

package struct JournalError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// A file that only grows. What stands in it has happened, whatever became of the process.
///
/// It is not synced: it outlives the process, not the machine.
final class Journal {
    private let file: Int32
    private let path: String

    private init(file: Int32, path: String) {
        self.file = file
        self.path = path
    }

    deinit { close(file) }

    /// Opens a journal, or begins one, and gives what stands in it.
    ///
    /// A last line without its end was being written when the process died: nobody was answered,
    /// and it is cut off.
    static func open(
        _ path: String, account: String, livemode: Bool
    ) throws(JournalError) -> (journal: Journal, entries: [JournalEntry]) {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("cannot be opened", path) }
        let journal = Journal(file: file, path: path)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw JournalError(description: "\(path) is in use by another simulator")
        }
        let bytes = try journal.contents()
        let end = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
        guard ftruncate(file, off_t(end)) == 0 else { throw failure("cannot be cut", path) }
        var entries: [JournalEntry] = []
        let lines = bytes[..<end].split(separator: UInt8(ascii: "\n"))
        let header = header(account: account, livemode: livemode)
        for (index, line) in lines.enumerated() {
            if index == 0 {
                guard Array(line) == header else {
                    throw JournalError(
                        description: "\(path) is no journal of \(account) in "
                            + "\(livemode ? "live" : "test") mode; take another file")
                }
                continue
            }
            guard let json = try? JSONValue(Array(line)), let entry = JournalEntry(json) else {
                throw JournalError(
                    description: "\(path), line \(index + 1) cannot be read; take another file")
            }
            entries.append(entry)
        }
        if lines.isEmpty { try journal.write(header + [UInt8(ascii: "\n")]) }
        return (journal, entries)
    }

    func append(_ entry: JournalEntry) throws(JournalError) {
        var json = JSONWriter()
        entry.write(to: &json)
        try write(json.bytes + [UInt8(ascii: "\n")])
    }

    private static func header(account: String, livemode: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("stripe_simulator_journal", 1)
            json.field("account", account)
            json.field("livemode", livemode)
        }
        return json.bytes
    }

    private func write(_ bytes: [UInt8]) throws(JournalError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot be written", path) }
            rest = rest.dropFirst(count)
        }
    }

    private func contents() throws(JournalError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("cannot be read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    private static func failure(_ what: String, _ path: String) -> JournalError {
        JournalError(description: "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
