import Testing

@testable import Usage

struct ImportTextLogTests {
    private static let common =
        #"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a/b.png?x=1 HTTP/1.1" 200 203023"#
    private static let combined =
        common + #" "http://semicomplete.com/" "Mozilla/5.0 (Macintosh; \"x\") Safari/537.36""#

    private func outcome(
        _ line: String, _ format: AccessLogFormat = .common,
        customer: AccessLogCustomer = .automatic
    ) -> ImportOutcome {
        var importer = accessLogImporter(format, customer: customer)
        return importer.feed(inputLine(line))
    }

    /// The common line with one text in it exchanged.
    private func changed(_ old: String, _ new: String) -> String {
        Self.common.replacing(old, with: new)
    }

    private func request(_ request: String) -> String {
        changed("GET /a/b.png?x=1 HTTP/1.1", request)
    }

    @Test(arguments: [
        (common, AccessLogFormat.common), (combined, .combined),
        (combined + #" 0.005 "y""#, .combined),
        (combined, .common), (common, .automatic), (combined, .automatic), (common + "\r", .common),
    ])
    func `a request becomes an event`(line: String, format: AccessLogFormat) throws {
        let event = try #require(outcome(line, format).event)
        #expect(event.customerID == "83.149.9.216")
        #expect(event.eventType == "api_request")
        #expect(event.timestampMilliseconds == 1_431_857_103_000)
        #expect(
            event.propertiesText
                == #"{"status":200,"bytes":203023,"method":"GET","endpoint":"/a/b.png"}"#)
    }

    @Test(arguments: [
        ("200 203023", "404 -", #"{"status":404,"bytes":0,"#),
        ("200 203023", "599 0", #"{"status":599,"bytes":0,"#),
        ("200 203023", "100 9223372036854775807", #"{"status":100,"bytes":9223372036854775807,"#),
    ])
    func `status and bytes are taken over the whole of their range`(
        old: String, new: String, start: String
    ) throws {
        let event = try #require(outcome(changed(old, new)).event)
        #expect(event.propertiesText.hasPrefix(start))
    }

    @Test(arguments: [
        ("200 203023", "099 1", Rejection.LogField.status), ("200 203023", "600 1", .status),
        ("200 203023", "20 1", .status), ("200 203023", "0200 1", .status),
        ("200 203023", "- 1", .status), ("200 203023", "2x0 1", .status),
        ("200 203023", "200", .status),
        ("200 203023", "200 ", .status), ("200 203023", "200 -1", .bytes),
        ("200 203023", "200 +1", .bytes), ("200 203023", "200 1.5", .bytes),
        ("200 203023", "200 1k", .bytes), ("200 203023", "200 9223372036854775808", .bytes),
        ("200 203023", "200 --", .bytes),
        ("83.149.9.216", "", .host), ("- - [", "[", .user), ("[17", "17", .user),
        ("17/May", "17-May", .time), ("+0000]", "+0000", .time), (" +0000", "", .time),
        ("\"GET", "GET", .request), ("HTTP/1.1\"", "HTTP/1.1", .request),
        ("HTTP/1.1\" ", "HTTP/1.1\"", .request),
    ])
    func `a line that is cut or bent is malformed, and the part is named`(
        old: String, new: String, field: Rejection.LogField
    ) {
        #expect(outcome(changed(old, new)).rejected?.reason == .malformedLine(field))
    }

    @Test(arguments: [
        ("17/May/2015", "31/Apr/2015", "bad_timestamp"), ("10:05:03", "10:05:60", "leap_second"),
        ("17/May/2015", "22/Nov/2026", nil), ("17/May/2015:10:05:03", "22/Nov/2026:12:05:00", nil),
        ("17/May/2015:10:05:03", "22/Nov/2026:12:05:01", "in_future"),
    ])
    func `the date is one that exists and has come`(old: String, new: String, code: String?) {
        #expect(outcome(changed(old, new)).code == code)
    }

    @Test func `in the combined format a line that ends within the bytes is malformed`() {
        #expect(outcome(Self.common, .combined).rejected?.reason == .malformedLine(.bytes))
        #expect(outcome(Self.common + " ", .combined).rejected?.reason == .malformedLine(.bytes))
    }

    @Test func `a user agent that is cut off does not lose the request`() {
        #expect(outcome(String(Self.combined.dropLast()), .combined).event != nil)
        #expect(outcome(Self.common + " \"-", .combined).event != nil)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", "GET", "/"), ("HEAD /x?a?b HTTP/2.0", "HEAD", "/x"),
        ("GET /", "GET", "/"), ("GET /a b HTTP/1.1", "GET", "/a b"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*"), ("GET ?q HTTP/1.1", "GET", ""),
        (#"GET /\"q\"\\ HTTP/1.1"#, "GET", #"/\"q\"\\"#),
        (#"GET /caf\xc3\xa9 HTTP/1.1"#, "GET", "/café"), ("GET /café HTTP/1.1", "GET", "/café"),
        (#"GET /\xff\xFE! HTTP/1.1"#, "GET", "/\u{FFFD}\u{FFFD}!"),
        (#"GET /\t\x01\xZ HTTP/1.1"#, "GET", #"/\t\u0001\\xZ"#),
        ("-", "-", "-"), ("", "-", ""), (#"\x16\x03\x01"#, "-", #"\\x16\\x03\\x01"#),
        (#"\n"#, "-", #"\\n"#), ("quit now", "-", "quit now"), ("QUIT now", "-", "QUIT now"),
        ("get / HTTP/1.1", "-", "get / HTTP/1.1"), ("GET", "-", "GET"),
        (#"- - \" x"#, "-", #"- - \\\" x"#),
    ])
    func `whatever was asked for is one request`(line: String, method: String, endpoint: String)
        throws
    {
        let event = try #require(outcome(request(line)).event)
        #expect(
            event.propertiesText
                == #"{"status":200,"bytes":203023,"method":"\#(method)","endpoint":"\#(endpoint)"}"#
        )
    }

    @Test(arguments: ["x", "é", "😀"])
    func `an endpoint is cut to 1,000 characters`(character: String) throws {
        let path = "/" + String(repeating: character, count: 2000)
        let event = try #require(outcome(request("GET \(path)?q HTTP/1.1")).event)
        #expect(event.propertiesText.hasSuffix("\"endpoint\":\"\(path.prefix(1000))\"}"))
    }

    @Test func `bytes that are no UTF-8 become replacement characters`() throws {
        var importer = accessLogImporter(.common)
        let parts = request("GET /|! HTTP/1.1").split(separator: "|").map { Array($0.utf8) }
        let line = InputLine(number: 1, bytes: parts[0] + [0xFF] + parts[1])
        let event = try #require(importer.feed(line).event)
        #expect(event.propertiesText.hasSuffix("\"/\u{FFFD}!\"}"))
    }

    @Test(
        arguments: [
            (AccessLogCustomer.host, "::1", "-", "::1", nil),
            (.host, "2001:db8::7", "-", "2001:db8::7", nil),
            (.automatic, "api.example.com", "u", "api.example.com", nil),
            (.host, "fe80::1%eth0", "-", nil, "bad_identifier"),
            (.host, "-", "-", nil, "missing_customer"),
            (.user, "h", "alice", "alice", nil), (.user, "h", "-", nil, "missing_customer"),
            (.user, "h", "alice smith", nil, "bad_identifier"),
            (.user, "h", "\"\"", nil, "bad_identifier"),
        ] as [(AccessLogCustomer, String, String, String?, String?)])
    func `the customer is the field that was chosen`(
        customer: AccessLogCustomer, host: String, user: String, expected: String?, code: String?
    ) {
        let line = changed("83.149.9.216 - -", "\(host) - \(user)")
        #expect(outcome(line, customer: customer).event?.customerID == expected)
        #expect(outcome(line, customer: customer).code == code)
    }

    @Test(
        arguments: [
            ("GET /?key=acme HTTP/1.1", "acme", nil),
            ("GET /?a=1&key=ac%6De&b HTTP/1.1", "acme", nil),
            ("GET /?k%65y=acme HTTP/1.1", "acme", nil),
            ("GET /?key=a=b HTTP/1.1", nil, "bad_identifier"),
            ("GET /?key=a+b HTTP/1.1", nil, "bad_identifier"),
            ("GET /?key=a%2 HTTP/1.1", nil, "bad_identifier"),
            ("GET /?key= HTTP/1.1", nil, "missing_customer"),
            ("GET /?key HTTP/1.1", nil, "missing_customer"),
            ("GET /?KEY=acme HTTP/1.1", nil, "missing_customer"),
            ("GET /key=acme HTTP/1.1", nil, "missing_customer"),
            ("-", nil, "missing_customer"),
            ("GET /?key=a&key=b HTTP/1.1", nil, "ambiguous_customer"),
        ] as [(String, String?, String?)])
    func `the customer may be a parameter of the query`(
        line: String, expected: String?, code: String?
    ) {
        let outcome = outcome(request(line), customer: .query("key"))
        #expect(outcome.event?.customerID == expected)
        #expect(outcome.code == code)
    }

    @Test(
        arguments: [
            ("host", AccessLogCustomer.host), ("user", .user), ("query:api_key", .query("api_key")),
            ("query:", nil), ("Host", nil), ("", nil),
        ] as [(String, AccessLogCustomer?)])
    func `a customer option is read by its spelling`(text: String, expected: AccessLogCustomer?) {
        #expect(AccessLogCustomer(text) == expected)
    }

    @Test func `the format is told by the first line that fits one`() {
        var importer = accessLogImporter()
        #expect(importer.feed(inputLine("")) == .blank)
        #expect(importer.feed(inputLine("# a comment")).code == "malformed_line")
        #expect(importer.format == .automatic)
        #expect(importer.feed(inputLine(Self.combined)).event != nil)
        #expect(importer.format == .combined)
        importer = accessLogImporter()
        _ = importer.feed(inputLine(Self.common))
        #expect(importer.format == .common)
        importer = accessLogImporter()
        _ = importer.feed(inputLine("{}"))
        #expect(importer.format == .json(.awsAPIGateway))
    }
}
