internal import Digest
internal import Foundation
internal import HTTPTypes
internal import Logging

/// Who may see the page, and whether a form came from it.
struct PageAccess: Sendable {
    enum Mode: Sendable {
        /// A name and a password, of those that are allowed.
        case basic([String: Secret])
        /// A proxy on this machine says who it is, in this header.
        case proxy(HTTPField.Name)
    }

    let mode: Mode
    /// Whether people may change anything here.
    let allowsChanges: Bool
    /// Of this process: forms that an earlier one wrote are refused, and loaded again.
    private let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }

    /// - Returns: the person's name; `nil`: nobody we know.
    func person(_ headers: HTTPFields) -> String? {
        switch mode {
        case .proxy(let name):
            // Two would be two answers to who it is.
            let values = headers[values: name]
            return values.count == 1 && Self.isProxyName(values[0]) ? values[0] : nil
        case .basic(let users):
            guard let (name, password) = Self.credentials(headers) else { return nil }
            // Hashes have one length; a name that nobody has takes as long.
            let given = SHA256.hash(Array(password.utf8))
            let wanted = SHA256.hash(Array((users[name]?.value ?? "").utf8))
            return HMACSHA256.isEqual(given, wanted) && users[name] != nil ? name : nil
        }
    }

    /// Who tried to sign in with a password, or why what the proxy says is no name, for the log; empty: nobody
    /// tried.
    func refusal(_ headers: HTTPFields) -> Logger.Metadata {
        switch mode {
        case .basic:
            let name = Self.credentials(headers)?.name ?? ""
            return Self.isName(name) ? ["person": "\(name)"] : [:]
        case .proxy(let name):
            let values = headers[values: name]
            if values.isEmpty { return [:] }
            guard values.count == 1 else {
                return ["why": "\(name.rawName) came \(values.count) times"]
            }
            return [
                "why":
                    "\(name.rawName) must be 1 to \(Self.longestName) printable characters of ASCII, without quotes"
            ]
        }
    }

    private static func credentials(
        _ headers: HTTPFields
    ) -> (name: String, password: String)? {
        guard let header = headers[.authorization], header.lowercased().hasPrefix("basic "),
            let data = Data(base64Encoded: String(header.dropFirst("basic ".count)))
        else { return nil }
        let parts = String(decoding: data, as: UTF8.self)
            .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }

    static func isName(_ text: String) -> Bool {
        text.wholeMatch(of: #/[A-Za-z0-9._@+-]{1,100}/#) != nil
    }

    private static let longestName = 128

    /// Proxies have names of their own: `auth0|5f7c8ec7c33c6c004bbafe82`, `CN=Ann, O=Example`.
    private static func isProxyName(_ text: String) -> Bool {
        (1...longestName).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x20...0x7E).contains($0) && !"\"'`".utf8.contains($0) }
            && text.utf8.contains { $0 != 0x20 }
    }

    /// What a form of this person's page holds.
    func token(of person: String) -> String {
        hexadecimal(HMACSHA256.authenticate(Array(person.utf8), key: key))
    }

    func accepts(_ token: String, of person: String) -> Bool {
        HMACSHA256.isEqual(Array(token.utf8), Array(self.token(of: person).utf8))
    }
}

extension SettingsReader {
    private enum Authentication: String, CaseIterable {
        case basic
        case proxy
    }

    private static let shortestPassword = 12

    /// Where the page is, and for whom. `nil`: there is none.
    mutating func page() throws(SettingsError) -> (port: Int, access: PageAccess)? {
        let port = try int("page.port", in: 0...65_535)
        let kind = try choice("page.auth", of: Authentication.self)
        let header = try string("page.proxy_header") ?? "X-Forwarded-User"
        let users = try secret("page.users")
        let allowsChanges = try bool("page.changes") ?? false
        guard let port else {
            guard kind == nil else {
                throw SettingsError("page.auth is set, and page.port is not: say where the page is")
            }
            return nil
        }
        switch kind {
        case nil:
            throw SettingsError(
                "page.port is set, and page.auth is not; it must be basic (with PAGE_USERS) or proxy"
            )
        case .basic:
            return (
                port,
                PageAccess(mode: .basic(try Self.users(users)), allowsChanges: allowsChanges)
            )
        case .proxy:
            guard let name = HTTPField.Name(header) else {
                throw SettingsError("page.proxy_header is '\(header)'; it must be a header's name")
            }
            return (port, PageAccess(mode: .proxy(name), allowsChanges: allowsChanges))
        }
    }

    /// Names and passwords, `ann:...`, separated by white space; none if they are not there.
    private static func users(_ secret: Secret?) throws(SettingsError) -> [String: Secret] {
        var users: [String: Secret] = [:]
        for entry in (secret?.value ?? "").split(whereSeparator: \.isWhitespace) {
            let parts = entry.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, PageAccess.isName(parts[0]),
                parts[1].utf8.count >= shortestPassword,
                users.updateValue(Secret(parts[1]), forKey: parts[0]) == nil
            else {
                throw SettingsError(
                    "PAGE_USERS: each entry must be name:password, the name once, the password of \(shortestPassword) characters or more"
                )
            }
        }
        return users
    }
}
