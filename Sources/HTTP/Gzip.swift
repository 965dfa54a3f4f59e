internal import CZlib

/// A gzip stream (RFC 1952) that is fed piece by piece; for request bodies.
struct GzipStream: ~Copyable {
    /// zlib keeps a pointer back to this struct, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Little of zlib's gain for much of its speed: uploads are large and the network is near.
    private static let level: Int32 = 3
    private static let outputBytes = 64 << 10

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = meterflow_gzip_start(stream, Self.level)
        precondition(code == Z_OK, "zlib has no memory for a stream (\(code))")
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// The packed bytes that are ready, often none: zlib holds back until it has enough.
    mutating func pack(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.isEmpty ? [] : run(bytes, Z_NO_FLUSH)
    }

    /// The last packed bytes, with gzip's check sum. The stream cannot be used afterwards.
    mutating func finish() -> [UInt8] {
        run([], Z_FINISH)
    }

    private mutating func run(_ bytes: ArraySlice<UInt8>, _ flush: Int32) -> [UInt8] {
        var packed: [UInt8] = []
        bytes.withUnsafeBufferPointer { input in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            var wroteAll = false
            while !wroteAll {
                let piece = [UInt8](unsafeUninitializedCapacity: Self.outputBytes) { out, count in
                    stream.pointee.next_out = out.baseAddress
                    stream.pointee.avail_out = UInt32(Self.outputBytes)
                    let code = deflate(stream, flush)
                    // Z_BUF_ERROR only says that there was nothing left to do.
                    precondition(code >= Z_OK || code == Z_BUF_ERROR, "zlib: \(code)")
                    count = Self.outputBytes - Int(stream.pointee.avail_out)
                }
                wroteAll = piece.count < Self.outputBytes
                packed += piece
            }
            stream.pointee.next_in = nil
        }
        return packed
    }

    /// Packs a whole body. It lets other tasks run between pieces, because a large one takes
    /// seconds.
    static func pack(whole bytes: [UInt8]) async -> [UInt8] {
        var gzip = GzipStream()
        var packed: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            packed += gzip.pack(rest.prefix(pieceBytes))
            rest = rest.dropFirst(pieceBytes)
            await Task.yield()
        }
        return packed + gzip.finish()
    }

    private static let pieceBytes = 256 << 10
}
