import Exact
import Testing

struct InstantTests {
    // Expected: Python's datetime.
    static let known: [(milliseconds: Int64, text: String)] = [
        (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (-1000, "1969-12-31T23:59:59Z"),
        (-86_400_000, "1969-12-31T00:00:00Z"), (-86_400_001, "1969-12-30T23:59:59.999Z"),
        (1_790_812_800_000, "2026-10-01T00:00:00Z"),
        (1_795_348_800_120, "2026-11-22T12:00:00.120Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00Z"),
        (-2_203_891_200_000, "1900-03-01T00:00:00Z"), (-62_135_596_800_000, "0001-01-01T00:00:00Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ]

    @Test(arguments: known)
    func `an instant is written as RFC 3339 in UTC, and read again`(
        milliseconds: Int64, text: String
    ) {
        #expect(Instant(milliseconds: milliseconds).description == text)
        #expect(Instant(text) == Instant(milliseconds: milliseconds))
    }

    @Test func `random instants read back as they were`() {
        var generator = SplitMix64(seed: 20)
        for _ in 0..<5_000 {
            let instant = Instant(
                milliseconds: Int64.random(
                    in: -62_135_596_800_000...253_402_300_799_999, using: &generator))
            #expect(Instant(instant.description) == instant)
        }
    }

    @Test func `instants and what is written of them have one order`() {
        let instants = Self.known.map { Instant(milliseconds: $0.milliseconds) }
        #expect(
            instants.sorted().map(\.description) == Self.known.sorted { $0.0 < $1.0 }.map(\.text))
    }

    @Test(arguments: [
        "", "Z", "T", "2026-10-01", "2026-10-01T00:00:00", "2026-10-01T00:00:00+00:00",
        "2026-10-01T00:00:00z", "2026-10-01t00:00:00Z", "2026-10-01 00:00:00Z",
        "2026-10-01T24:00:00Z", "2026-10-01T00:60:00Z", "2026-10-01T00:00:60Z",
        "2026-10-01T0:00:00Z", "2026-10-01T00:00Z", "2026-10-01T00:00:00:00Z",
        "2026-10-01T00:00:00.Z", "2026-10-01T00:00:00.1Z", "2026-10-01T00:00:00.12Z",
        "2026-10-01T00:00:00.1234Z", "2026-10-01T00:00:00,123Z", "2026-10-01T00:00:00.12aZ",
        "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-1-01T00:00:00Z",
        "2026-10-01T00:00:00ZZ", " 2026-10-01T00:00:00Z", "2026-10-01T٠٠:00:00Z",
    ])
    func `what is no instant in UTC is not read`(text: String) {
        #expect(Instant(text) == nil)
    }

    @Test(arguments: [
        "2026-10-01T+1:00:00Z", "2026-10-01T-0:00:00Z", "2026-10-01T00:+5:00Z",
        "2026-10-01T00:00:-0Z", "2026-10-01T00:00:00.+12Z", "2026-10-01T00:00:00.-00Z",
    ])
    func `a sign is no digit of a time`(text: String) {
        #expect(Instant(text) == nil)
    }

    @Test(arguments: [
        (0, 0), (999, 0), (1000, 1), (1999, 1), (-1, -1), (-999, -1), (-1000, -1), (-1001, -2),
    ])
    func `whole seconds drop a fraction towards the past`(milliseconds: Int64, seconds: Int64) {
        #expect(Instant(milliseconds: milliseconds).unixSeconds == seconds)
    }
}
