internal import Alerts
internal import Foundation
internal import HTTP
internal import Ledger
internal import Yams

/// `alerts.routes` of the settings file: a mapping from names to routes, read strictly.
///
/// Secrets stand in files: `url_file: NAME` names a credential of systemd, or is an absolute path.
struct AlertRoutes {
    private let environment: [String: String]

    static func read(
        _ node: Node?, environment: [String: String]
    ) throws(SettingsError) -> [AlertRoute] {
        guard let node else { return [] }
        guard let mapping = node.mapping else {
            throw SettingsError("alerts.routes must be a mapping of names to routes")
        }
        var routes: [AlertRoute] = []
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
    ) throws(SettingsError) -> AlertRoute {
        var node = source
        var route = AlertRoute(name: name, channel: try channel(&node))
        route.match = try Self.match(node.node("match"))
        route.cooldownSeconds = try node.int("cooldown_seconds", in: 0...604_800) ?? 0
        route.digestSeconds = try node.int("digest_seconds", in: 0...86_400) ?? 0
        route.messagesPerHour = try node.int("messages_per_hour", in: 1...10_000) ?? 60
        let zone = try node.string("timezone")
        if let text = try node.string("quiet_hours") {
            guard let hours = QuietHours(text, zone: zone ?? "UTC") else {
                throw SettingsError(
                    "\(node.path).quiet_hours is '\(text)' in '\(zone ?? "UTC")'; it must be as 22:00-07:00, with a timezone as Europe/Berlin"
                )
            }
            route.quietHours = hours
        } else if zone != nil {
            throw SettingsError("\(node.path).timezone goes with quiet_hours")
        }
        try node.refuseUnknownKeys()
        return route
    }

    private func channel(_ node: inout RouteNode) throws(SettingsError) -> AlertRoute.Channel {
        let type = try node.required("type")
        switch type {
        case "slack": return .slack(url: try url(secret("url_file", &node), node))
        case "pagerduty":
            let base = try node.string("base") ?? "https://events.pagerduty.com"
            return .pagerDuty(
                routingKey: try secret("routing_key_file", &node), base: try url(base, node))
        case "webhook":
            return .webhook(
                url: try url(node.required("url"), node),
                secret: try secret("secret_file", &node))
        case "file":
            let path = try node.required("path")
            guard path.hasPrefix("/") else {
                throw SettingsError("\(node.path).path must be an absolute path")
            }
            return .file(path: path)
        case "email": return try email(&node)
        default:
            throw SettingsError(
                "\(node.path).type is '\(type)'; it must be one of slack, pagerduty, email, webhook, file"
            )
        }
    }

    private func email(_ node: inout RouteNode) throws(SettingsError) -> AlertRoute.Channel {
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
        if server.user != nil { server.password = try secret("password_file", &node) }
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
        return .email(server, sender: sender, recipients: recipients)
    }

    private static func match(
        _ node: RouteNode?
    ) throws(SettingsError) -> AlertRoute.Match {
        var match = AlertRoute.Match()
        guard var node else { return match }
        for text in try node.strings("severity") {
            guard let severity = Alert.Severity(rawValue: text) else {
                throw SettingsError(
                    "\(node.path).severity is '\(text)'; it must be of info, warning, critical")
            }
            match.severities.append(severity)
        }
        match.kinds = try node.strings("kind")
        match.customers = try node.strings("customer")
        match.jobs = try node.strings("job")
        try node.refuseUnknownKeys()
        return match
    }

    /// What goes over the net in the clear can be read there.
    private func url(_ text: String, _ node: RouteNode) throws(SettingsError) -> String {
        let url = URL(string: text)
        guard let host = url?.host,
            url?.scheme == "https" || (url?.scheme == "http" && Self.isLoopback(host))
        else {
            throw SettingsError(
                "\(node.path): the address must be https://..., or http:// on this machine")
        }
        return text
    }

    private static func isLoopback(_ host: String) -> Bool {
        ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    }

    private func secret(
        _ key: String, _ node: inout RouteNode
    ) throws(SettingsError) -> String {
        let name = try node.required(key)
        let folder = environment["CREDENTIALS_DIRECTORY"]
        guard let path = name.hasPrefix("/") ? name : folder.map({ "\($0)/\(name)" }) else {
            throw SettingsError(
                "\(node.path).\(key) must be an absolute path, or the name of a systemd credential")
        }
        let text = try? String(contentsOf: URL(filePath: path), encoding: .utf8)
        guard let value = text?.trimmingCharacters(in: .whitespacesAndNewlines), !value.isEmpty
        else {
            throw SettingsError("\(node.path).\(key): the file \(path) cannot be read, or is empty")
        }
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
