internal import Alerts
internal import Foundation
internal import HTTP
internal import Ledger
internal import Yams

/// A route as the settings describe it. Its secrets are read by those who tell it something, and by no other
/// process: only they have them.
struct ConfiguredRoute: Sendable {
    let name: String
    /// Throws `SettingsError` if a file with a secret cannot be read.
    let withSecrets: @Sendable () throws -> AlertRoute
}

/// `alerts.routes` of the settings file: a mapping from names to routes, read strictly.
///
/// Secrets stand in files: `url_file: NAME` names a credential of systemd, or is an absolute path.
struct AlertRoutes {
    /// Makes a channel, of secrets that are read then.
    private typealias Channel = @Sendable () throws -> AlertRoute.Channel

    private let environment: [String: String]

    static func read(
        _ node: Node?, environment: [String: String]
    ) throws(SettingsError) -> [ConfiguredRoute] {
        guard let node else { return [] }
        guard let mapping = node.mapping else {
            throw SettingsError("alerts.routes must be a mapping of names to routes")
        }
        var routes: [ConfiguredRoute] = []
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard name.wholeMatch(of: #/[a-z0-9_-]{1,40}/#) != nil else {
                throw SettingsError(
                    "the route '\(name)' must have a name of a-z, 0-9, _ and -, at most 40")
            }
            routes.append(
                try AlertRoutes(environment: environment).route(
                    RouteNode("alerts.routes.\(name)", value), name))
        }
        return routes
    }

    private func route(
        _ source: consuming RouteNode, _ name: String
    ) throws(SettingsError) -> ConfiguredRoute {
        var node = source
        let channel = try channel(&node)
        let match = try Self.match(node.node("match"))
        let cooldownSeconds = try node.int("cooldown_seconds", in: 0...604_800) ?? 0
        let digestSeconds = try node.int("digest_seconds", in: 0...86_400) ?? 0
        let messagesPerHour = try node.int("messages_per_hour", in: 1...10_000) ?? 60
        let quietHours = try Self.quietHours(&node)
        try node.refuseUnknownKeys()
        return ConfiguredRoute(name: name) {
            var route = AlertRoute(name: name, channel: try channel())
            route.match = match
            route.cooldownSeconds = cooldownSeconds
            route.digestSeconds = digestSeconds
            route.messagesPerHour = messagesPerHour
            route.quietHours = quietHours
            return route
        }
    }

    private static func quietHours(
        _ node: inout RouteNode
    ) throws(SettingsError) -> QuietHours? {
        let zone = try node.string("timezone")
        guard let text = try node.string("quiet_hours") else {
            guard zone == nil else {
                throw SettingsError("\(node.path).timezone goes with quiet_hours")
            }
            return nil
        }
        guard let hours = QuietHours(text, zone: zone ?? "UTC") else {
            throw SettingsError(
                "\(node.path).quiet_hours is '\(text)' in '\(zone ?? "UTC")'; it must be as 22:00-07:00, with a timezone as Europe/Berlin"
            )
        }
        return hours
    }

    private func channel(_ node: inout RouteNode) throws(SettingsError) -> Channel {
        let type = try node.required("type")
        let path = node.path
        switch type {
        case "slack":
            let address = try secret("url_file", &node)
            return { .slack(url: try Self.url(address.read(), path)) }
        case "pagerduty":
            let text = try node.string("base") ?? "https://events.pagerduty.com"
            let base = try Self.url(text, path)
            let key = try secret("routing_key_file", &node)
            return { .pagerDuty(routingKey: try key.read(), base: base) }
        case "webhook":
            let url = try Self.url(node.required("url"), path)
            let key = try secret("secret_file", &node)
            return { .webhook(url: url, secret: try key.read()) }
        case "file":
            let file = try node.required("path")
            guard file.hasPrefix("/") else {
                throw SettingsError("\(path).path must be an absolute path")
            }
            return { .file(path: file) }
        case "email": return try email(&node)
        default:
            throw SettingsError(
                "\(path).type is '\(type)'; it must be one of slack, pagerduty, email, webhook, file"
            )
        }
    }

    private func email(_ node: inout RouteNode) throws(SettingsError) -> Channel {
        let text = try node.string("security") ?? "starttls"
        guard let security = SMTPServer.Security(rawValue: text) else {
            throw SettingsError(
                "\(node.path).security is '\(text)'; it must be starttls, tls or none")
        }
        let host = try node.required("host")
        let ports: [SMTPServer.Security: Int] = [.starttls: 587, .tls: 465, .none: 25]
        var server = SMTPServer(
            host: host, port: try node.int("port", in: 1...65_535) ?? ports[security] ?? 25,
            security: security)
        server.user = try node.string("user")
        let password = try server.user == nil ? nil : secret("password_file", &node)
        server.caFile = try node.string("ca_file")
        if security == .none && !Self.isLoopback(host) {
            throw SettingsError(
                "\(node.path).security is none; that is for a server on this machine only")
        }
        let sender = try node.required("from")
        let recipients = try node.strings("to")
        guard !recipients.isEmpty,
            (recipients + [sender]).allSatisfy({
                $0.wholeMatch(of: #/[^\s<>@,;"\x00-\x1f]+@[^\s<>@,;"\x00-\x1f]+/#) != nil
            })
        else {
            throw SettingsError(
                "\(node.path).from and .to must be addresses such as ops@example.com")
        }
        return { [server] in
            var server = server
            server.password = try password?.read()
            return .email(server, sender: sender, recipients: recipients)
        }
    }

    private static func match(
        _ node: RouteNode?
    ) throws(SettingsError) -> AlertRoute.Match {
        var match = AlertRoute.Match()
        guard var node else { return match }
        match.severities = try node.strings("severity", of: Alert.Severity.allCases.map(\.rawValue))
            .compactMap(Alert.Severity.init(rawValue:))
        match.kinds = try node.strings("kind", of: Alert.jobs.keys.sorted())
        match.customers = try node.strings("customer")
        match.jobs = try node.strings("job", of: Set(Alert.jobs.values.joined()).sorted())
        try node.refuseUnknownKeys()
        return match
    }

    /// What goes over the net in the clear can be read there.
    private static func url(_ text: String, _ path: String) throws(SettingsError) -> String {
        let url = URL(string: text)
        guard let host = url?.host,
            url?.scheme == "https" || (url?.scheme == "http" && isLoopback(host))
        else {
            throw SettingsError(
                "\(path): the address must be https://..., or http:// on this machine")
        }
        return text
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    }

    private func secret(
        _ key: String, _ node: inout RouteNode
    ) throws(SettingsError) -> RouteSecret {
        RouteSecret(
            key: "\(node.path).\(key)", name: try node.required(key),
            credentials: environment["CREDENTIALS_DIRECTORY"])
    }
}

/// A file with a secret, which is read when it is needed.
private struct RouteSecret: Sendable {
    /// Where it is named in the settings.
    let key: String
    /// An absolute path, or the name of a credential.
    let name: String
    /// The folder of credentials.
    let credentials: String?

    func read() throws(SettingsError) -> String {
        guard let path = name.hasPrefix("/") ? name : credentials.map({ "\($0)/\(name)" }) else {
            throw SettingsError(
                "\(key) names the credential \(name), and there are none here: start this with CREDENTIALS_DIRECTORY=/etc/meterflow/credentials, or name an absolute path"
            )
        }
        let text = try? String(contentsOf: URL(filePath: path), encoding: .utf8)
        guard let value = text?.trimmingCharacters(in: .whitespacesAndNewlines), !value.isEmpty
        else { throw SettingsError("\(key): the file \(path) cannot be read, or is empty") }
        return value
    }
}

/// A mapping of the settings file, of which every key must be asked for.
private struct RouteNode {
    let path: String
    private let node: Node
    private var known: Set<String> = []

    init(_ path: String, _ node: Node) {
        self.path = path
        self.node = node
    }

    mutating func node(_ key: String) -> RouteNode? {
        known.insert(key)
        return node.mapping?[key].map { RouteNode("\(path).\(key)", $0) }
    }

    mutating func string(_ key: String) throws(SettingsError) -> String? {
        guard let value = node(key) else { return nil }
        guard let text = value.node.scalar?.string, !text.isEmpty else {
            throw SettingsError("\(value.path) must be a text")
        }
        return text
    }

    mutating func required(_ key: String) throws(SettingsError) -> String {
        guard let text = try string(key) else { throw SettingsError("\(path).\(key) is missing") }
        return text
    }

    mutating func int(_ key: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        guard let text = try string(key) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw SettingsError(
                "\(path).\(key) is '\(text)'; it must be from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// One text, or a list of them.
    mutating func strings(_ key: String) throws(SettingsError) -> [String] {
        guard let value = node(key) else { return [] }
        let items = value.node.sequence.map(Array.init) ?? [value.node]
        let texts = items.compactMap { $0.scalar?.string }
        guard texts.count == items.count, !texts.contains(""), !texts.isEmpty else {
            throw SettingsError("\(value.path) must be a text, or a list of texts")
        }
        return texts
    }

    /// One of these texts, or a list of them: what nothing can ever be is a mistake.
    mutating func strings(
        _ key: String, of known: [String]
    ) throws(SettingsError) -> [String] {
        let texts = try strings(key)
        guard let unknown = texts.first(where: { !known.contains($0) }) else { return texts }
        throw SettingsError(
            "\(path).\(key) is '\(unknown)'; it must be of \(known.joined(separator: ", "))")
    }

    func refuseUnknownKeys() throws(SettingsError) {
        guard let mapping = node.mapping else { throw SettingsError("\(path) must be a mapping") }
        let unknown = mapping.keys.map { $0.string ?? "?" }.filter { !known.contains($0) }
        guard unknown.isEmpty else {
            throw SettingsError(
                "\(path) has keys that nothing reads: \(unknown.sorted().joined(separator: ", ")); known: "
                    + known.sorted().joined(separator: ", "))
        }
    }
}
