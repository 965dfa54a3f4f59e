import Glibc

/// Writes `enum SQL`: one constant a statement (named after its file), and `migrations`, the numbered
/// files (`0001_name.sql`) in order. Raw string literals compile in no time, byte arrays do not.
@main
struct EmbedSQL {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let output = arguments.first else { fail("usage: EmbedSQL OUTPUT FILE...") }
        var statements = ""
        var migrations = ""
        for path in arguments.dropFirst() {
            let name = String(path.split(separator: "/").last!.dropLast(".sql".count))
            let literal = "####\"\"\"\n\(read(path))\n\"\"\"####"
            if let separator = name.firstIndex(of: "_"), let version = Int(name[..<separator]) {
                let title = name[name.index(after: separator)...]
                migrations += "(version: \(version), name: \"\(title)\", sql: \(literal)),\n"
            } else {
                statements += "static let \(camelCase(name)) = \(literal)\n"
            }
        }
        let source = """
            enum SQL {
            \(statements)
            static let migrations: [(version: Int, name: String, sql: String)] = [
            \(migrations)]
            }

            """
        guard let file = fopen(output, "w"), fputs(source, file) >= 0, fclose(file) == 0 else {
            fail("cannot write \(output)")
        }
    }

    static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { fail("cannot read \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words[0]
            + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    static func fail(_ message: String) -> Never {
        perror("EmbedSQL: \(message)")
        exit(1)
    }
}
