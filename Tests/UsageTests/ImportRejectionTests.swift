import Testing

@testable import Usage

struct ImportRejectionTests {
    private static let long = String(repeating: "Q", count: 500)

    private static let rejections: [Rejection] = [
        .badJSON(JSONError(fault: .duplicateKey(long), offset: 3)),
        .badJSON(JSONError(fault: .tooDeep, offset: 3)), .notAnObject, .unknownField(long),
        .missingField(long), .wrongType(field: long, expected: "a string"),
        .badIdentifier(field: long), .stringTooLong(field: long),
        .badTimestamp(field: long, .notInFormat), .badTimestamp(field: long, .leapSecond),
        .inFuture,
        .tooOld, .malformedLine(.request), .missingCustomer(source: long),
        .ambiguousCustomer(source: long), .lineTooLong, .incompleteLastLine,
    ]

    @Test func `every reason has a code of its own`() {
        let codes = Self.rejections.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { $0.allSatisfy { $0 == "_" || $0.isLowercase } })
    }

    @Test(arguments: rejections)
    func `a sentence quotes at most 40 characters`(rejection: Rejection) {
        #expect(rejection.description.count { $0 == "Q" } <= 40)
        #expect(rejection.description.count > 20)
    }

    @Test func `a sentence cannot drive a terminal`() {
        let sentence = Rejection.unknownField("a\u{1B}[31m\n\u{202E}b\u{2028}").description
        #expect(sentence.contains("\"a?[31m??b?\""))
    }

    @Test func `a secret in a value is in no sentence`() throws {
        let secret = "sk_live_SECRET"
        let lines = [
            #"{"transaction_id":"\#(secret)!","customer_id":"c","event_type":"e","timestamp":1795348800000}"#,
            #"{"transaction_id":"t","customer_id":"\#(secret)!","event_type":"e","timestamp":1795348800000}"#,
            #"{"transaction_id":"t","customer_id":"c","event_type":"e","timestamp":"\#(secret)"}"#,
            #"{"transaction_id":"t","customer_id":"c","event_type":"e","timestamp":\#(secret)}"#,
        ]
        var events = EventImporter(nowMilliseconds: importNow, allowBackfill: true)
        for outcome in feed(lines.joined(separator: "\n") + "\n", to: &events) {
            let rejected = try #require(outcome.rejected)
            #expect(!rejected.reason.description.contains("SECRET"))
        }
        let request = #"h - - [17/May/2015:10:05:03 +0000] "GET /?k=%20\#(secret) HTTP/1.1" 200 1"#
        var log = accessLogImporter(customer: .query("k"))
        let rejected = try #require(feed(request + "\n", to: &log)[0].rejected)
        #expect(rejected.reason == .badIdentifier(field: "query:k"))
        #expect(!rejected.reason.description.contains("SECRET"))
    }
}
