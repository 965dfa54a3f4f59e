import Testing

@testable import ClickHouse

struct RowBinaryTests {
    @Test func `what is written is read`() throws {
        var writer = RowBinaryWriter()
        let long = [UInt8](repeating: 7, count: 70_000)
        writer.integer(Int64.min)
        writer.integer(UInt16(513))
        writer.double(-1.5e-300)
        for text in [[], Array("é'\0".utf8), long] { writer.text(text) }
        #expect(Array(writer.bytes[8..<10]) == [1, 2])
        var reader = RowBinaryReader(writer.bytes)
        let (first, second) = (try reader.integer(Int64.self), try reader.integer(UInt16.self))
        #expect(first == .min && second == 513)
        let number = try reader.double()
        #expect(number == -1.5e-300)
        let texts = [try reader.text(), try reader.text(), try reader.text()]
        #expect(texts.map(Array.init) == [[], Array("é'\0".utf8), long])
        let isAtEnd = reader.isAtEnd
        #expect(isAtEnd)
    }

    @Test(arguments: [[], [5, 1, 2], [0x80], [UInt8](repeating: 0xFF, count: 12)] as [[UInt8]])
    func `an answer that ends too early is refused`(bytes: [UInt8]) {
        #expect(throws: ClickHouseError.self) {
            var reader = RowBinaryReader(bytes)
            _ = try reader.text()
        }
    }

    @Test func `the engine understands it, and answers in it`() async throws {
        try await withDatabase { client in
            try await client.execute(
                ClickHouseQuery(
                    "CREATE TABLE t (a Int32, b String, c Array(Float64)) ENGINE = Memory"))
            var writer = RowBinaryWriter()
            writer.integer(Int32(-3))
            writer.text(Array("x".utf8))
            writer.length(2)
            for value in [0.1, 2] { writer.double(value) }
            try await client.insert(
                into: "t", columns: ["a", "b", "c"], format: "RowBinary", rows: writer.bytes,
                isCompressed: false)
            let answer = try await client.bytes(
                ClickHouseQuery("SELECT a, b, c FROM t"), format: "RowBinary")
            #expect(answer == writer.bytes)
            await #expect(throws: ClickHouseError.self) {
                _ = try await client.bytes(
                    ClickHouseQuery(
                        "SELECT throwIf(number = 3000000), toString(number) FROM numbers(4000000)"),
                    format: "RowBinary")
            }
        }
    }
}
