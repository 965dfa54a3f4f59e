/// Identifies each line of a file by everything that stands before it in the file.
///
/// `id_n = H(id_{n-1} || line_n)` and `id_0 = H(source)`. The same file again, the same file grown,
/// renamed or rotated gives the same identifiers, so nothing is counted twice; a line that stands
/// twice in a file, or in two files that begin differently, is two requests. Two files that begin
/// with the same lines are taken for one: give them different sources.
struct LineChain {
    private let hash: @Sendable ([UInt8]) -> [UInt8]
    private var link: [UInt8]
    private var input: [UInt8] = []

    /// - Parameters:
    ///   - source: what tells apart inputs that may begin alike, such as the host's name.
    ///   - hash: a cryptographic hash of at least 17 bytes, always of the same length.
    init(source: String, hash: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.hash = hash
        link = hash(Array(source.utf8))
        precondition(link.count * 8 >= Self.identifierBits, "the hash is too short")
    }

    /// - Parameter content: the line without its newline and the blanks before it, so that a last
    ///   line has the same identifier before and after its newline is written.
    mutating func advance(over content: [UInt8]) {
        input.removeAll(keepingCapacity: true)
        input.append(contentsOf: link)
        input.append(contentsOf: content)
        link = hash(input)
    }

    /// Passes a line of which only the start was kept: its length stands for the rest.
    mutating func advance(overStart start: [UInt8], byteCount: Int) {
        advance(over: start + Array(" \(byteCount)".utf8))
    }

    /// The identifier of the line passed last.
    var transactionID: String { Self.identifier(of: link) }

    /// A transaction's identifier for a request that has one of its own, which our rule for
    /// identifiers does not allow (those of Amazon's HTTP APIs end with `=`).
    func transactionID(for id: [UInt8]) -> String { Self.identifier(of: hash(id)) }

    private static let identifierBits = 130

    /// 130 bits as 26 characters of base32 (RFC 4648 section 6, in lower case).
    private static func identifier(of digest: [UInt8]) -> String {
        let alphabet = StaticString("abcdefghijklmnopqrstuvwxyz234567")
        return String(unsafeUninitializedCapacity: 29) { text in
            for (index, byte) in "al_".utf8.enumerated() { text[index] = byte }
            for index in 0..<26 {
                let bit = index * 5
                let next = bit / 8 + 1 < digest.count ? digest[bit / 8 + 1] : 0
                let pair = UInt16(digest[bit / 8]) << 8 | UInt16(next)
                text[3 + index] = alphabet.utf8Start[Int(pair >> (11 - bit % 8) & 31)]
            }
            return 29
        }
    }
}
