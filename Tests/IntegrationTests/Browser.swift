import Foundation
import HTTP
import Testing

/// A Chromium without a screen, without scripts, and without a mouse: what is not reached by the keyboard
/// is not reached. Driven by WebDriver (w3.org/TR/webdriver2).
final class Browser {
    private let process: JobsProcess
    private let client: HTTPClient
    private let driver: String
    private var session = ""

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - folder: where its profile may lie.
    ///   - width: of a phone's screen, in pixels; no window of a desktop is as narrow.
    init(folder: String, width: Int, height: Int) async throws {
        let port = try freePort()
        driver = "http://127.0.0.1:\(port)"
        client = try HTTPClient()
        process = try JobsProcess(
            ["--port=\(port)"], environment: ["HOME": folder, "PATH": "/usr/bin:/bin"],
            folder: folder, program: "chromedriver")
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            if (try? await send("GET", "/status")) != nil { break }
            try #require(
                ContinuousClock.now < deadline && process.isRunning,
                "chromedriver does not answer: dev/install.sh test")
        }
        let options = """
            {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {
                "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-proxy-server",
                    "--disable-dev-shm-usage", "--user-data-dir=\(folder)/chromium"],
                "mobileEmulation": {
                    "deviceMetrics": {"width": \(width), "height": \(height), "pixelRatio": 1}},
                "prefs": {"profile.managed_default_content_settings.javascript": 2}}}}}
            """
        let made = try await send("POST", "/session", options) as? [String: Any]
        session = "/session/" + (try #require(made?["sessionId"] as? String))
    }

    /// Ends the browser, too.
    func end() async throws {
        try await send("DELETE", session)
        process.kill()
        _ = try await process.result()
    }

    func open(_ url: String) async throws {
        try await send("POST", session + "/url", "{\"url\": \"\(url)\"}")
    }

    var url: String {
        get async throws { try await text("GET", "/url") }
    }

    /// Waits until a person sees this: a key may lead to another page, which comes when it comes.
    func untilVisible(_ wanted: String) async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            // What was found on the page before is none of the next one's.
            let text = try? await text("GET", "/element/\(find("body"))/text")
            if text?.contains(wanted) == true { return }
            if ContinuousClock.now > deadline {
                throw Refused(description: "\(wanted) is not seen, but \(text ?? "nothing")")
            }
        }
    }

    /// Presses a key, or types a text.
    func type(_ text: String) async throws {
        let keys = text.flatMap {
            [
                "{\"type\": \"keyDown\", \"value\": \"\($0)\"}",
                "{\"type\": \"keyUp\", \"value\": \"\($0)\"}",
            ]
        }
        try await send(
            "POST", session + "/actions",
            "{\"actions\": [{\"type\": \"key\", \"id\": \"keys\", \"actions\": [\(keys.joined(separator: ","))]}]}"
        )
    }

    static let (tab, enter) = ("\\uE004", "\\uE007")

    /// Goes on from where the focus is until it is on something of that name.
    func tabTo(_ name: String) async throws {
        for _ in 0..<200 {
            try await press(Self.tab)
            if try await focused() == name { return }
        }
        throw Refused(description: "the keyboard does not reach \(name)")
    }

    func press(_ key: String) async throws {
        try await send(
            "POST", session + "/actions",
            """
            {"actions": [{"type": "key", "id": "keys", "actions": [
                {"type": "keyDown", "value": "\(key)"}, {"type": "keyUp", "value": "\(key)"}]}]}
            """)
    }

    /// What assistive technology calls that which has the focus.
    private func focused() async throws -> String {
        let element = try await send("GET", session + "/element/active") as? [String: Any]
        guard let id = element?.values.first as? String else { return "" }
        return try await text("GET", "/element/\(id)/computedlabel")
    }

    /// How wide the page is, with what sticks out of the screen, in pixels.
    var pageWidth: Double {
        get async throws {
            let width = try await send(
                "GET", session + "/element/\(find("html"))/property/scrollWidth")
            return try #require(width as? Double)
        }
    }

    func save(_ path: String) async throws {
        let picture = try await text("GET", "/screenshot")
        try #require(Data(base64Encoded: picture)).write(to: URL(filePath: path))
    }

    private func find(_ selector: String) async throws -> String {
        let found =
            try await send(
                "POST", session + "/element",
                "{\"using\": \"css selector\", \"value\": \"\(selector)\"}") as? [String: Any]
        return try #require(found?.values.first as? String)
    }

    private func text(_ method: String, _ path: String) async throws -> String {
        try #require(try await send(method, session + path) as? String)
    }

    /// - Returns: the answer's `value`.
    @discardableResult
    private func send(_ method: String, _ path: String, _ body: String = "") async throws -> Any? {
        var request = HTTPRequest(method: method, url: driver + path)
        if method == "POST" { request.body = .bytes(Array(body.utf8)) }
        let response = try await client.send(request)
        let answer =
            try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
        guard response.status == 200 else {
            throw Refused(description: "\(method) \(path): \(answer?["value"] ?? response.status)")
        }
        return answer?["value"]
    }
}
