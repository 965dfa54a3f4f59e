internal import CLibpq

/// How to reach a database, and how long to wait for it.
///
/// What the URL says wins over what is said here. Every session speaks UTF-8, UTC, ISO dates and
/// hexadecimal `bytea`, whatever the URL says.
package struct PostgresConfiguration: Sendable {
    package var url: String
    package var applicationName: String
    /// For the whole of a connection attempt, over all hosts of the URL.
    package var connectTimeoutSeconds: Int
    /// For each statement, in a COPY for each piece of it, in a cursor for each batch. nil waits for
    /// ever, or until TCP finds the server gone.
    package var statementTimeoutSeconds: Double?
    /// Where NOTICE and WARNING go; called on the connection's own thread.
    package var noticeHandler: @Sendable (PostgresNotice) -> Void

    /// - Parameter url: `postgresql://user:password@host:port/database?options=…`, or libpq's
    ///   `key=value` form.
    package init(
        url: String, applicationName: String = "jobs", connectTimeoutSeconds: Int = 10,
        statementTimeoutSeconds: Double? = 300,
        noticeHandler: @escaping @Sendable (PostgresNotice) -> Void = { _ in }
    ) {
        self.url = url
        self.applicationName = applicationName
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.statementTimeoutSeconds = statementTimeoutSeconds
        self.noticeHandler = noticeHandler
    }

    /// Reads the URL without connecting, for a check at start-up.
    ///
    /// libpq quotes what it cannot read, and a password whose `@` or `/` is not percent-encoded is
    /// read as a host, a port or a database: those are refused here, in words without the URL.
    ///
    /// - Throws: `usage`.
    package func validate() throws(PostgresError) {
        _ = try ConnectionSettings(self)
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomReflectable {
    /// Without the URL, which may hold a password.
    package var description: String { "PostgresConfiguration(\(applicationName))" }

    package var customMirror: Mirror {
        Mirror(self, children: ["applicationName": applicationName])
    }
}

/// A message that the server sent beside its answer.
package struct PostgresNotice: Sendable {
    /// `NOTICE`, `WARNING`, `INFO`, `LOG` or `DEBUG`.
    package let severity: String
    package let sqlState: String
    package let message: String
}

/// The URL, taken apart by libpq, with our defaults before it and our decisions after it.
struct ConnectionSettings {
    /// In libpq's order of precedence: the last one wins.
    let keywords: [(String, String)]
    let connectTimeoutSeconds: Int
    /// Words that must not appear in any message.
    let secrets: [String]

    init(_ configuration: PostgresConfiguration) throws(PostgresError) {
        let options = try ConninfoOptions(parsing: configuration.url).values
        let ports = options["port"]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        guard
            options["host"]?.contains("@") != true, options["dbname"]?.contains("@") != true,
            ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil })
        else { throw ConninfoOptions.unreadable }
        secrets = ["password", "sslpassword"].compactMap { options[$0] }.filter { !$0.isEmpty }
        if let own = options["connect_timeout"] {
            guard let seconds = Int(own) else { throw ConninfoOptions.unreadable }
            connectTimeoutSeconds = seconds
        } else {
            connectTimeoutSeconds = configuration.connectTimeoutSeconds
        }
        keywords = [
            ("application_name", configuration.applicationName),
            ("keepalives", "1"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
            ("dbname", configuration.url),
            ("client_encoding", "UTF8"),
        ]
    }

    func withoutSecrets(_ message: String) -> String {
        var message = message
        for secret in secrets {
            message = message.split(separator: secret, omittingEmptySubsequences: false)
                .joined(separator: "…")
        }
        return message
    }
}

/// What `PQconninfoParse` makes of a URL; owns its answer for as long as it takes to copy it.
private struct ConninfoOptions {
    static let unreadable = PostgresError.usage(
        "the database URL cannot be read; percent-encode what is special in its password")

    private(set) var values: [String: String] = [:]

    init(parsing url: String) throws(PostgresError) {
        var problem: UnsafeMutablePointer<CChar>?
        let options = PQconninfoParse(url, &problem)
        PQfreemem(problem)
        defer { PQconninfoFree(options) }
        guard let options else { throw Self.unreadable }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        guard !values.isEmpty else { throw Self.unreadable }
    }
}
