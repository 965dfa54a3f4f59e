import Testing

@testable import ClickHouse

@Suite struct ConfigurationTests {
    struct Reading: Sendable, CustomTestStringConvertible {
        var url: String
        var endpoint: String
        var user: String
        var password: String
        var database: String

        init(
            _ url: String, _ endpoint: String, _ user: String, _ password: String,
            _ database: String
        ) {
            (self.url, self.endpoint, self.user) = (url, endpoint, user)
            (self.password, self.database) = (password, database)
        }

        var testDescription: String { url }
    }

    @Test(arguments: [
        Reading("http://me:secret@host:8123/usage", "http://host:8123/", "me", "secret", "usage"),
        Reading("https://me:secret@host/usage", "https://host/", "me", "secret", "usage"),
        Reading("http://host:8123/usage", "http://host:8123/", "default", "", "usage"),
        Reading("http://me@host/usage", "http://host/", "me", "", "usage"),
        Reading("http://me:@host/usage", "http://host/", "me", "", "usage"),
        Reading("http://me:a:b@host/usage", "http://host/", "me", "a:b", "usage"),
        Reading(
            "http://m%40e:p%40s%2Fs%3Aw%25%20%C3%A9@host/my%2Ddata", "http://host/", "m@e",
            "p@s/s:w% é", "my-data"),
        Reading("http://me:s@[::1]:8123/usage", "http://[::1]:8123/", "me", "s", "usage"),
        Reading("https://[2001:db8::7]/usage", "https://[2001:db8::7]/", "default", "", "usage"),
    ])
    func `a URL says where, who and which database`(_ reading: Reading) throws {
        let configuration = try ClickHouseConfiguration(url: reading.url)
        #expect(configuration.endpoint == reading.endpoint)
        #expect(configuration.user == reading.user)
        #expect(configuration.password == reading.password)
        #expect(configuration.database == reading.database)
    }

    @Test(arguments: [
        "", "host", "host:8123/usage", "ftp://me:s3cret@host/usage", "http://me:s3cret@host",
        "http://me:s3cret@host/", "http://me:s3cret@host/usage/more", "http:///usage",
        "http://me:s3cret@/usage", "http://me:s3c@ret@host/usage", "http://me:s3/cret@host/usage",
        "http://me:s3/cret@host", "http://me:s3cret@host/usage?x=1",
        "http://me:s3cret@host/usage#x",
        "http://me:s3cret%@host/usage", "http://me:s3cret%2@host/usage",
        "http://me:s3cret%+f@host/usage", "http://me:s3cret%zz@host/usage",
        "http://me:s3cret%FF@host/usage", " http://me:s3cret@host/usage",
        "http://me:s3cret@host/usage\n",
    ])
    func `anything else is refused without repeating it`(_ url: String) {
        let error = #expect(throws: ClickHouseError.self) {
            _ = try ClickHouseConfiguration(url: url)
        }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("s3") == false)
        #expect(error?.description.contains("http[s]://user:password@host:port/database") == true)
    }

    @Test func `another database of the same server keeps the rest`() throws {
        let base = try ClickHouseConfiguration(url: "https://me:secret@host:8443/usage")
        let other = ClickHouseConfiguration(base, database: "another")
        #expect(other.database == "another")
        #expect(other.endpoint == base.endpoint)
        #expect(other.user == "me")
        #expect(other.password == "secret")
    }

    @Test func `an address that nobody can use is a matter of configuration`() async throws {
        let client = try client(url: "http://me:s3cret@host:port/usage")
        let error = try await clickHouseError { _ = try await client.value("SELECT 1 AS value") }
        #expect(error.code == .configuration)
        #expect(!"\(error)".contains("s3cret"))
    }
}
