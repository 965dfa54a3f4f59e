import Foundation
import HTTP
import Postgres
import Testing

/// The page, as the people who use it see it.
struct PageTests {
    private static let password = "correct-horse-battery"
    private static let settings: [String: String?] = [
        "PAGE_AUTH": "basic", "PAGE_USERS": "ann:\(password) bob:another-password",
    ]

    /// `jobs serve --only-page`, and somebody who looks at it.
    private struct Page {
        let port: UInt16
        let client: HTTPClient

        func get(
            _ path: String, as person: String? = "ann:\(password)",
            _ more: [String: String] = [:]
        ) async throws -> (status: Int, text: String, headers: HTTPHeaders) {
            try await send("GET", path, person, more, nil)
        }

        func post(
            _ path: String, _ form: String, as person: String = "ann:\(password)",
            _ more: [String: String] = [:]
        ) async throws -> (status: Int, text: String, headers: HTTPHeaders) {
            try await send("POST", path, person, more, form)
        }

        /// What the forms of a page hold.
        func token(_ path: String, as person: String = "ann:\(password)") async throws -> String {
            let text = try await get(path, as: person).text
            return String(
                try #require(text.firstMatch(of: #/name="token" value="([0-9a-f]{64})"/#)).1)
        }

        private func send(
            _ method: String, _ path: String, _ person: String?, _ more: [String: String],
            _ form: String?
        ) async throws -> (status: Int, text: String, headers: HTTPHeaders) {
            var headers: HTTPHeaders = [:]
            if let person {
                headers["Authorization"] = "Basic \(Data(person.utf8).base64EncodedString())"
            }
            for (name, value) in more { headers[name] = value }
            var request = HTTPRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers)
            if let form { request.body = .bytes(Array(form.utf8)) }
            let response = try await client.send(request)
            return (
                response.status, String(decoding: response.body, as: UTF8.self), response.headers
            )
        }
    }

    /// - Returns: the log.
    @discardableResult
    private func withPage(
        _ changes: [String: String?] = [:], _ body: (Page, SubmittedStack) async throws -> Void
    ) async throws -> String {
        var log = ""
        try await withSubmittedStack { submitted in
            #expect(try await submitted.bill().status == 0)
            log = try await serve(submitted.stack, changes) { try await body($0, submitted) }
        }
        return log
    }

    /// - Returns: the log.
    @discardableResult
    private func serve(
        _ stack: Stack, _ changes: [String: String?], _ body: (Page) async throws -> Void
    ) async throws -> String {
        let port = try freePort()
        let settings = Self.settings.merging(["PAGE_PORT": "\(port)"]) { $1 }
            .merging(changes) { $1 }
        let process = try stack.start(["serve", "--only-page"], with: settings)
        let page = Page(port: port, client: try HTTPClient())
        let deadline = ContinuousClock.now + patience
        while (try? await page.get("/style.css")) == nil {
            try #require(ContinuousClock.now < deadline && process.isRunning)
        }
        try await body(page)
        process.send(SIGTERM)
        let result = try await process.result()
        #expect(result.status == 0)
        return result.errors
    }

    private func invoice(of customer: String, _ stack: Stack) async throws -> String {
        try await stack.value(
            "SELECT invoice_id AS value FROM invoices WHERE customer_id = $1", [customer])
    }

    @Test func `a month is explained from its sums down to the events of an invoice`() async throws
    {
        try await withPage { page, submitted in
            let id = try await invoice(of: "ann", submitted.stack)
            let first = try await page.get("/")
            #expect(first.status == 303 && first.headers["Location"] == "/months/2015-05")
            let month = try await page.get("/months/2015-05").text
            #expect(month.contains("2 invoices come to 30.00 USD, their lines to 30.00 USD"))
            #expect(month.contains("<a href=\"/invoices/\(id)\">"))
            let open = try await page.get("/months/2015-05?status=paid&customer=b").text
            #expect(!open.contains(id) && open.contains("<option selected>paid</option>"))
            let invoice = try await page.get("/invoices/\(id)").text
            #expect(
                invoice.contains("<td class=\"n\">1</td><td class=\"n\">10</td>"),
                "events and quantity"
            )
            #expect(invoice.contains("10 x 1") && invoice.contains("draft_created"))
            #expect(!invoice.contains("<form"), "nothing can be changed unless that is set")
            #expect(try await page.get("/runs").text.contains("<td>bill</td><td>2015-05</td>"))
            for path in [
                "/invoices/inv_none", "/invoices/a%00b", "/invoices/%ff", "/months/2015-13",
                "/months/2015-05?customer=%00", "/months/2015-05?status=nonsense",
                "/anomalies/none",
                "/anomalies?status=nonsense", "/anomalies?before=9223372036854775807",
                "/anomalies?before=", "/nothing",
            ] { #expect(try await page.get(path).status == 404, "\(path)") }
            let earlier = "/anomalies?status=any&before=2015-05-01T00:00:00Z&id=x"
            #expect(try await page.get(earlier).text.contains("<p>None.</p>"))
            // Nothing is loaded, and nothing runs.
            #expect(first.headers["Set-Cookie"] == nil)
            let policy = try await page.get("/runs").headers["Content-Security-Policy"] ?? ""
            #expect(policy.contains("default-src 'none'") && !month.contains("<script"))
        }
    }

    @Test func `what the ledger quotes is text`() async throws {
        try await withPage { page, submitted in
            let id = try await invoice(of: "bob", submitted.stack)
            try await submitted.stack.postgres.query(
                "UPDATE invoices SET standing_hold = '<script>alert(1)</script>' WHERE invoice_id = $1",
                [id])
            for path in [
                "/months/2015-05", "/invoices/\(id)", "/months/2015-05?customer=%22%3E%3Cscript",
            ] {
                let text = try await page.get(path).text
                #expect(!text.contains("<script"), "\(path)")
                #expect(text.contains("&lt;script"), "\(path)")
            }
        }
    }

    @Test func `a month that is being billed says how far it is`() async throws {
        try await withPage { page, submitted in
            #expect(try await !page.get("/months/2015-05").text.contains("is being billed"))
            try await submitted.stack.waiting(
                at: "invoice_events", SubmittedStack.bill, with: submitted.settings([:])
            ) { process in
                let text = try await page.get("/months/2015-05").text
                #expect(text.contains("The month is being billed (process \(process.id) on "))
                #expect(text.contains("2 of 2 invoices are at Stripe"))
                #expect(text.contains(#"max="2" value="2""#))
                process.kill()
            }
        }
    }

    @Test func `only those who sign in see anything`() async throws {
        let log = try await withPage { page, _ in
            for person in [nil, "ann:wrong", "ann:another-password", "eve:", "ann", "bob:"] {
                let answer = try await page.get("/months/2015-05", as: person)
                #expect(answer.status == 401 && !answer.text.contains("2015-05"))
                #expect(answer.headers["WWW-Authenticate"]?.hasPrefix("Basic") == true)
            }
            #expect(try await page.get("/months/2015-05", as: "bob:another-password").status == 200)
            #expect(
                try await page.get("/runs", as: nil, ["X-Forwarded-User": "ann"]).status == 401)
        }
        let refused = log.split(separator: "\n").filter { $0.contains("sign-in refused") }
        #expect(refused.count == 4 && refused.contains { $0.contains("eve") })
        #expect(!log.contains("wrong") && !log.contains("another-password"))
        let proxied = try await withPage(["PAGE_AUTH": "proxy", "PAGE_USERS": nil]) { page, _ in
            let name = "X-Forwarded-User"
            let longest = String(repeating: "a", count: 128)
            let cases: [(headers: [String: String], status: Int)] = [
                ([:], 401), ([name: "ann"], 200), ([name: "auth0|5f7c8e"], 200),
                ([name: "github:ann"], 200), ([name: "CN=Ann, O=<b>"], 200), ([name: longest], 200),
                ([name: ""], 401), ([name: "a\"b"], 401), ([name: "a'b"], 401),
                ([name: longest + "a"], 401),
            ]
            for (headers, wanted) in cases {
                let status = try await page.get("/runs", as: nil, headers).status
                #expect(status == wanted, "\(headers)")
            }
        }
        let reasons = proxied.split(separator: "\n").filter { $0.contains("sign-in refused") }
        #expect(reasons.count == 4)
        #expect(reasons.allSatisfy { $0.contains("X-Forwarded-User must be 1 to 128 printable") })
    }

    @Test func `an anomaly is looked at with its plot, and acknowledged under one's name`()
        async throws
    {
        var fleet = DetectedFleet(days: 31)
        fleet.add("ann", mean: 20, seed: 81)
        fleet.change("ann", 30 * 24 + 9..<30 * 24 + 11) { $0 * 6 + 40 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            // Up to its last hour: it is not over.
            try await stack.detect(30 * 24..<30 * 24 + 11)
            try await serve(stack, ["PAGE_CHANGES": "true"]) { page in
                let list = try await page.get("/anomalies").text
                let path = String(
                    try #require(list.firstMatch(of: #/href="(/anomalies/[^"?]+)"/#)).1)
                let open = try await page.get(path).text
                #expect(open.contains("<svg") && open.contains("class=\"flag\""))
                #expect(open.contains("<dt>Status</dt><dd>open</dd>"))
                let token = try await page.token(path)
                let answer = try await page.post(
                    "\(path)/acknowledge", "reason=a+stolen+key&token=\(token)")
                #expect(answer.status == 303 && answer.headers["Location"] == path)
                let acknowledged = try await page.get(path).text
                #expect(acknowledged.contains("acknowledged by ann: a stolen key"))
                #expect(acknowledged.contains("<dt>Status</dt><dd>acknowledged</dd>"))
                #expect(!acknowledged.contains("<form"), "it is said once")
                #expect(
                    try await stack.value(
                        "SELECT event || ' ' || by AS value FROM anomaly_notes")
                        == "acknowledged ann")
            }
        }
    }

    @Test func `changes need a form of the page, and have a name`() async throws {
        try await withPage(["PAGE_CHANGES": "true"]) { page, submitted in
            let stack = submitted.stack
            let id = try await invoice(of: "ann", stack)
            let path = "/invoices/\(id)"
            let token = try await page.token(path)
            let other = try await page.token(path, as: "bob:another-password")
            #expect(token != other)
            for (form, more) in [
                ("reason=x", [:]), ("reason=x&token=\(other)", [:]),
                ("reason=x&token=\(token)", ["Sec-Fetch-Site": "cross-site"]),
            ] {
                #expect(try await page.post("\(path)/hold", form, more).status == 403)
            }
            #expect(try await page.post("\(path)/hold", "reason=+&token=\(token)").status == 400)
            #expect(try await page.post("\(path)/burn", "reason=x&token=\(token)").status == 404)
            // Both were handed to Stripe: the ledger refuses, and says why.
            let late = try await page.post("\(path)/hold", "reason=x&token=\(token)")
            #expect(late.status == 409 && late.text.contains("nothing more is sent of it"))
            #expect(try await stack.count("invoice_events WHERE event = 'held'") == 0)

            try await stack.postgres.query(
                "UPDATE invoices SET recovery_point = 'finalized' WHERE invoice_id = $1", [id])
            let held = try await page.post("\(path)/hold", "reason=call+them&token=\(token)")
            #expect(held.status == 303 && held.headers["Location"] == path)
            let text = try await page.get(path).text
            #expect(text.contains("<td>call them</td><td>ann</td>") && text.contains(">Release<"))
            #expect(
                try await page.post("\(path)/release", "reason=done&token=\(token)").status == 303)
            #expect(try await page.get(path).text.contains("<td>done</td><td>ann</td>"))
        }
    }

    @Test func `an invoice tells what was proposed for late usage, and what became of it`()
        async throws
    {
        try await withPage { page, submitted in
            func jobs(_ arguments: String...) async throws -> JobsProcess.Result {
                try await submitted.stack.jobs(
                    ["invoices"] + arguments, with: submitted.settings([:]))
            }
            let id = try await invoice(of: "ann", submitted.stack)
            #expect(try await !page.get("/invoices/\(id)").text.contains("Corrections"))
            try await submitted.stack.importEvents([stored("12.5", of: "ann", id: "late")])
            #expect(try await jobs("propose", "--slot", "2015-05").status == 1)
            let open = try await page.get("/invoices/\(id)").text
            #expect(open.contains("supplementary invoice 1<br>"), "\(open)")
            #expect(open.contains("<code>jobs invoices approve|reject 1 --reason ...</code>"))
            #expect(open.contains("<td class=\"n\">2.50 USD</td>"))

            #expect(try await jobs("approve", "1", "--reason", "agreed <b>").status == 0)
            let approved = try await page.get("/invoices/\(id)").text
            let link = try #require(
                approved.firstMatch(of: #/approved: <a href="(\/invoices\/[^"]+)">/#))
            #expect(approved.contains("<td>agreed &lt;b&gt;</td>"))
            let supplementary = try await page.get(String(link.1)).text
            #expect(supplementary.contains("beside the month's own invoice"))
            #expect(!supplementary.contains("Corrections"))
        }
    }

    @Test func `an invoice is explained without ClickHouse`() async throws {
        try await withPage(["CLICKHOUSE_URL": nil]) { page, submitted in
            let id = try await invoice(of: "ann", submitted.stack)
            let text = try await page.get("/invoices/\(id)").text
            #expect(text.contains("<td class=\"n\">1</td><td class=\"n\">10</td>"))
        }
    }

    /// A real browser, with neither scripts nor a mouse.
    @Test func `everything is reached by keyboard, on a phone`() async throws {
        try await withPage(["PAGE_CHANGES": "true"]) { page, submitted in
            let stack = submitted.stack
            let id = try await invoice(of: "ann", stack)
            try await stack.postgres.query(
                "UPDATE invoices SET recovery_point = 'finalized' WHERE invoice_id = $1", [id])
            try await stack.postgres.query(
                """
                INSERT INTO anomalies (anomaly_id, customer_id, metric_key, metric, kind, severity,
                    direction, first_hour, last_hour, peak_hour, score, threshold, expected, observed,
                    excess, hours, method, recommended_action, expires_at)
                VALUES ($1, $1, 'k', 'storage', 'volume', 'critical', 'up', now(), now(), now(), 9, 3, 1,
                    9, 8, 1, 'composite', 'Look at it.', now() + interval '1 year')
                """, [String(repeating: "a", count: 60)])
            let browser = try await Browser(folder: stack.folder, width: 390, height: 844)
            /// Enters a link, and looks at where it leads: what is wider than the screen scrolls by itself.
            func enter(_ name: String, _ wanted: String) async throws {
                try await browser.tabTo(name)
                try await browser.press(Browser.enter)
                try await browser.untilVisible(wanted)
                #expect(try await browser.pageWidth <= 390, "\(wanted)")
            }
            do {
                try await browser.open("http://ann:\(Self.password)@127.0.0.1:\(page.port)/")
                try await browser.untilVisible("Billing of 2015-05")
                #expect(try await browser.pageWidth <= 390)
                try await enter("Runs", "Last successes")
                try await enter("Anomalies", "Anomalies, the newest first")
                try await enter("volume up", "What was said")
                try await browser.tabTo("Reason")
                try await browser.type("a launch")
                try await enter("Acknowledge", "acknowledged by ann: a launch")
                try await enter("Billing", "Billing of 2015-05")
                try await enter(id, "From events to the total")
                #expect(try await browser.url.hasSuffix("/invoices/\(id)"))
                try await browser.tabTo("Reason")
                try await browser.type("too much")
                try await browser.tabTo("Hold")
                try await browser.press(Browser.enter)
                try await browser.untilVisible("too much")
                #expect(
                    try await stack.value(
                        "SELECT actor AS value FROM invoice_events WHERE event = 'held'") == "ann")
                try await browser.end()
            } catch {
                try? await browser.end()
                throw error
            }
        }
    }
}
