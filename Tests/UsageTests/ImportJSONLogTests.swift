import Testing

@testable import Usage

struct ImportJSONLogTests {
    private static let line =
        #"{ "requestId":"c6af-1", "ip":"192.0.2.7", "user":"-","#
        + #""requestTime":"17/May/2015:10:05:03 +0000", "httpMethod":"GET","resourcePath":"/pets?q=1","#
        + #""status":"200","protocol":"HTTP/1.1", "responseLength":"1234" }"#

    private func outcome(
        _ line: String, mapping: JSONLogMapping = .awsAPIGateway,
        customer: AccessLogCustomer = .automatic
    ) -> ImportOutcome {
        var importer = accessLogImporter(.json(mapping), customer: customer)
        return importer.feed(inputLine(line))
    }

    private func changed(_ old: String, _ new: String) -> String {
        Self.line.replacing(old, with: new)
    }

    @Test func `a line of AWS API Gateway becomes an event without an option`() throws {
        var importer = accessLogImporter()
        #expect(
            importer.feed(inputLine(Self.line)).event
                == UsageEvent(
                    transactionID: "c6af-1", customerID: "192.0.2.7", eventType: "api_request",
                    timestampMilliseconds: 1_431_857_103_000,
                    properties: Array(
                        #"{"status":200,"bytes":1234,"method":"GET","endpoint":"/pets"}"#.utf8)))
    }

    @Test func `the mapping names nested fields and other formats of time`() throws {
        var mapping = JSONLogMapping(
            customer: "identity.apiKey.owner", time: "at", timeFormat: .rfc3339,
            status: "res.status",
            bytes: "res.bytes", method: "m", endpoint: "url.path")
        let line =
            #"{"at":"2015-05-17T12:05:03.25+02:00","identity":{"apiKey":{"owner":42}},"#
            + #""res":{"status":404,"bytes":null},"m":null,"url.path":"/dotted"}"#
        let event = try #require(outcome(line, mapping: mapping).event)
        #expect(event.customerID == "42")
        #expect(event.timestampMilliseconds == 1_431_857_103_250)
        #expect(event.transactionID.hasPrefix("al_"))
        #expect(
            event.propertiesText
                == #"{"status":404,"bytes":0,"method":"-","endpoint":"/dotted"}"#)
        mapping.timeFormat = .epochMilliseconds
        #expect(outcome(line, mapping: mapping).code == "bad_timestamp")
    }

    @Test(arguments: [
        (#""requestTime":"17/May/2015:10:05:03 +0000""#, #""requestTime":1431857103"#),
        (#""requestTime":"17/May/2015:10:05:03 +0000""#, #""requestTime":"1431857103000""#),
        (#""requestTime":"17/May/2015:10:05:03 +0000""#, #""requestTime":1431857103.000"#),
        (#""status":"200""#, #""status":200"#),
        (#""responseLength":"1234""#, #""responseLength":1234"#),
        ("/pets?q=1", #"\/pets"#),
    ])
    func `numbers may come as numbers or as strings`(old: String, new: String) {
        #expect(outcome(changed(old, new)) == outcome(Self.line))
    }

    @Test(arguments: [
        (#""ip":"192.0.2.7""#, #""ip":"-""#, "missing_customer"),
        (#""ip":"192.0.2.7""#, #""ip":null"#, "missing_customer"),
        (#""ip":"192.0.2.7","#, "", "missing_customer"),
        (#""ip":"192.0.2.7""#, #""ip":"a b""#, "bad_identifier"),
        (#""ip":"192.0.2.7""#, #""ip":{"a":1}"#, "wrong_type"),
        (#""ip":"192.0.2.7""#, #""ip":true"#, "wrong_type"),
        (#""requestId":"c6af-1","#, "", "missing_field"),
        (#""requestId":"c6af-1""#, #""requestId":"-""#, "missing_field"),
        ("17/May", "31/Apr", "bad_timestamp"), ("10:05:03", "10:05:60", "leap_second"),
        ("17/May/2015", "23/Nov/2026", "in_future"), (#""status":"200","#, "", "missing_field"),
        (#""status":"200""#, #""status":"-""#, "missing_field"),
        (#""status":"200""#, #""status":99"#, "malformed_line"),
        (#""status":"200""#, #""status":600"#, "malformed_line"),
        (#""status":"200""#, #""status":200.0"#, "malformed_line"),
        (#""responseLength":"1234""#, #""responseLength":-1"#, "malformed_line"),
        (#""responseLength":"1234""#, #""responseLength":1.5"#, "malformed_line"),
        (#""responseLength":"1234""#, #""responseLength":"1 kB""#, "malformed_line"),
        (#", "responseLength":"1234""#, "", "missing_field"),
        (#""httpMethod":"GET","#, "", "missing_field"), ("}", "", "bad_json"),
        ("}", "}}", "bad_json"),
        (#""user""#, #""ip""#, "duplicate_key"), (line, "[1]", "not_an_object"),
        (line, "GET / 200", "bad_json"),
    ])
    func `what the mapping cannot read is rejected`(old: String, new: String, code: String) {
        #expect(outcome(changed(old, new)).code == code)
    }

    @Test func `bytes that are not known count as none`() throws {
        let event = try #require(outcome(changed(#""1234""#, #""-""#)).event)
        #expect(event.propertiesText.contains(#""bytes":0,"#))
    }

    @Test func `an identifier that our rule does not allow is hashed, and the same each time`()
        throws
    {
        let line = changed("c6af-1", "JKJaXmPLvHcESHA=")
        let event = try #require(outcome(line).event)
        #expect(event.transactionID.hasPrefix("al_"))
        var importer = accessLogImporter(.json(.awsAPIGateway))
        _ = importer.feed(inputLine(Self.line))
        #expect(importer.feed(inputLine(line)).event?.transactionID == event.transactionID)
    }

    @Test func `the customer may be a parameter of the endpoint's query`() {
        #expect(
            outcome(changed("q=1", "key=acme"), customer: .query("key")).event?.customerID == "acme"
        )
        #expect(outcome(Self.line, customer: .query("key")).code == "missing_customer")
    }

    @Test(arguments: [AccessLogCustomer.host, .user])
    func `a JSON log has no host or user of its own`(customer: AccessLogCustomer) {
        #expect(outcome(Self.line, customer: customer).code == "missing_customer")
    }

    @Test func `an endpoint and a method are cut to 1,000 characters`() throws {
        let long = String(repeating: "é", count: 1500)
        let event = try #require(
            outcome(changed("/pets", long).replacing("GET", with: long)).event)
        let cut = long.prefix(1000)
        #expect(event.propertiesText.hasSuffix(#""method":"\#(cut)","endpoint":"\#(cut)"}"#))
    }

    @Test func `a last line waits unless its object is closed`() {
        var importer = accessLogImporter()
        #expect(feed(Self.line + "\n" + Self.line, to: &importer)[1].event != nil)
        for length in [1, 20, Self.line.count - 1] {
            importer = accessLogImporter()
            let cut = Self.line + "\n" + Self.line.prefix(length)
            #expect(feed(cut, to: &importer)[1].code == "incomplete_last_line")
        }
    }
}
