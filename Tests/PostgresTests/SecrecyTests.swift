import Postgres
import Testing

/// Everything that a program could print of an error.
private func everything(_ error: any Error) -> String {
    var text = "\(error) " + String(reflecting: error) + " \(String(describing: Optional(error)))"
    dump(error, to: &text)
    return text
}

@Suite(.timeLimit(.minutes(1)))
struct SecrecyTests {
    @Test(arguments: [
        ("SELECT $1::int", "22P02"),
        ("SELECT $1::timestamptz", "22007"),
        ("SELECT $1::uuid", "22P02"),
        ("SELECT $1::jsonb", "22P02"),
        ("SELECT ($1 || '\"')::int", "22P02"),
        ("SELECT ('1' || repeat('0', 20) || right($1, 2))::int", "22003"),
        ("INSERT INTO t VALUES (2, $1, 1)", "23505"),
        ("INSERT INTO t VALUES (2, 'x' || $1, -1)", "23514"),
        ("INSERT INTO t VALUES (NULL, 'x' || $1, 1)", "23502"),
    ])
    func `a refused value stands in no description`(sql: String, sqlState: String) async throws {
        try await withPool { pool in
            let secret = "secret-17"
            try await pool.query(
                "CREATE TABLE t (n int NOT NULL, email text UNIQUE, a int CHECK (a > 0))")
            try await pool.query("INSERT INTO t VALUES (1, $1, 1)", [secret])
            let error = try await postgresError { try await pool.query(sql, [secret]) }
            #expect(error.sqlState == sqlState)
            let text = everything(error)
            #expect(!text.contains("secret"))
            #expect(!text.contains("00000000"))
        }
    }

    @Test func `the server's detail can be asked for, and is not printed`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (email text UNIQUE)")
            try await pool.query("INSERT INTO t VALUES ('secret-17')")
            let error = try await postgresError {
                try await pool.query("INSERT INTO t VALUES ($1)", ["secret-17"])
            }
            #expect(error.detail == "Key (email)=(secret-17) already exists.")
            #expect(error.constraint == "t_email_key")
            #expect(!everything(error).contains("secret-17"))
        }
    }

    @Test(arguments: [
        "postgres://someone:hush-17@127.0.0.1:1/none",
        "postgres://someone:hush%2D17@127.0.0.1:1/hush-17",
        "postgres://someone:a@hush-17@127.0.0.1:1/none",
        "postgres://someone:1/hush-17@127.0.0.1:1/none",
        "postgres://someone:hush-17/b@127.0.0.1/none",
        "postgres://someone:hush-17?b@127.0.0.1/none",
        "postgres://someone:hush-17%@127.0.0.1/none",
        "postgres://someone:hush-17@127.0.0.1:1/none?nonsense=hush-17",
        "postgres://127.0.0.1:1/none?password=hush-17",
        "host=127.0.0.1 port=1 password=hush-17",
        "host=127.0.0.1 port=hush-17",
        "host=127.0.0.1 hush-17",
        "hush-17",
        "http://hush-17@127.0.0.1:1/",
        "postgres://127.0.0.1:1/none?connect_timeout=hush-17",
        "",
    ])
    func `a URL that leads nowhere keeps its password`(url: String) async throws {
        let configuration = PostgresConfiguration(url: url)
        let pool = PostgresPool(configuration: configuration)
        let error = try await postgresError { try await pool.query("SELECT 1") }
        #expect([.connect, .usage, .authentication].contains(error.code))
        var text = everything(error) + "\(configuration)" + String(reflecting: configuration)
        dump(configuration, to: &text)
        dump(pool, to: &text)
        #expect(!text.contains("hush"), "\(text.replacing("hush-17", with: "***"))")
    }

    @Test func `a URL can be checked without connecting`() throws {
        try PostgresConfiguration(url: "postgres://a:b%40c@127.0.0.1:1,[::1]:2/none").validate()
        let error = #expect(throws: PostgresError.self) {
            try PostgresConfiguration(url: "postgres://a:b@c@127.0.0.1:1/none").validate()
        }
        #expect(error?.code == .usage)
        #expect(error?.description.contains("percent-encode") == true)
    }
}
