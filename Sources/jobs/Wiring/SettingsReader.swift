internal import Configuration
internal import Exact
internal import Foundation
internal import Yams

/// Reads settings strictly: environment before `jobs.yaml`; what is absent takes its default, what is
/// present and cannot be read is refused, and so is a key of the file that nothing reads.
///
/// The library's own readers answer an unreadable value with the default; here the providers are asked
/// directly, because a typing mistake in `billing.mode` must not decide what is sent to Stripe.
struct SettingsReader {
    private typealias Lookup = (AbsoluteConfigKey, ConfigType) throws -> LookupResult

    private let environment: [String: String]
    private let sources: [(name: String, lookup: Lookup)]
    private let keysOfFile: Set<String>
    private let root: Node?
    private var keysRead: Set<String> = []

    /// - Parameter file: `jobs.yaml`; `nil`: there is none.
    init(environment: [String: String], file: String?) throws(SettingsError) {
        self.environment = environment
        let variables = EnvironmentVariablesProvider(environmentVariables: environment)
        var sources: [(name: String, lookup: Lookup)] = [
            ("the environment", { try variables.value(forKey: $0, type: $1) })
        ]
        var keys: Set<String> = []
        var document: Node?
        if let file {
            do {
                let data = try Data(contentsOf: URL(filePath: file))
                let root = try Yams.compose(yaml: String(decoding: data, as: UTF8.self))
                if let root, root.mapping == nil { throw SettingsError("no mapping") }
                keys = Set(Self.keys(of: root))
                document = root
                // The library refuses an empty mapping, which is a file without settings.
                if !keys.isEmpty {
                    let snapshot = try YAMLSnapshot(
                        data: data.bytes, providerName: file, parsingOptions: .default)
                    sources.append((file, { try snapshot.value(forKey: $0, type: $1) }))
                }
            } catch {
                // Not the error's own words: they quote the file, which may hold secrets.
                let isThere = FileManager.default.isReadableFile(atPath: file)
                throw SettingsError(
                    isThere
                        ? "\(file) is no YAML file of names and values; check it with a YAML linter"
                        : "\(file) cannot be read")
            }
        }
        self.sources = sources
        keysOfFile = keys
        root = document
    }

    mutating func string(_ key: String) throws(SettingsError) -> String? {
        guard case .string(let text)? = try value(key, .string) else { return nil }
        return text
    }

    mutating func int(_ key: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int? {
        guard case .int(let number)? = try value(key, .int) else { return nil }
        guard range.contains(number) else {
            throw SettingsError(
                "\(key) is \(number); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func number(
        _ key: String, in range: ClosedRange<Double>
    ) throws(SettingsError) -> Double? {
        guard case .double(let number)? = try value(key, .double) else { return nil }
        guard range.contains(number) else {
            throw SettingsError(
                "\(key) is \(number); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func month(_ key: String) throws(SettingsError) -> CivilMonth? {
        guard let text = try string(key) else { return nil }
        guard let month = CivilMonth(text) else {
            throw SettingsError("\(key) is '\(text)'; it must be a month, as 2026-10")
        }
        return month
    }

    /// Where Stripe is. The secret key goes there, so it must not be readable on the way.
    mutating func stripeBase() throws(SettingsError) -> String? {
        guard let text = try string("stripe.api_base") else { return nil }
        let url = URL(string: text)
        let isLoopback = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(url?.host ?? "")
        guard let url, url.host != nil, url.path.isEmpty || url.path == "/",
            url.scheme == "https" || (url.scheme == "http" && isLoopback)
        else {
            throw SettingsError(
                "stripe.api_base is '\(text)'; it must be https://host, or http:// on this machine")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    mutating func bool(_ key: String) throws(SettingsError) -> Bool? {
        guard case .bool(let flag)? = try value(key, .bool) else { return nil }
        return flag
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, of: Choice.Type
    ) throws(SettingsError) -> Choice? {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError("\(key) is '\(text)'; it must be one of \(known)")
        }
        return choice
    }

    /// A secret: from the setting itself, from the file that `NAME_FILE` names, or from systemd's
    /// credentials. Its value never appears in an error.
    mutating func secret(_ key: String) throws(SettingsError) -> Secret? {
        let name = key.replacing(".", with: "_").uppercased()
        if let text = try string(key), !text.isEmpty { return Secret(text) }
        let credential = environment["CREDENTIALS_DIRECTORY"].map { "\($0)/\(name)" }
        let isThere = credential.map { FileManager.default.fileExists(atPath: $0) } ?? false
        guard let path = environment["\(name)_FILE"] ?? (isThere ? credential : nil) else {
            return nil
        }
        do {
            let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
            let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
            // Units give the credential of an optional secret an empty default.
            return value.isEmpty ? nil : Secret(value)
        } catch {
            throw SettingsError("\(name): the file \(path) cannot be read")
        }
    }

    /// A part of the file with a shape of its own, whose keys its reader asks for.
    mutating func part(_ key: String) -> Node? {
        keysRead.formUnion(keysOfFile.filter { $0 == key || $0.hasPrefix(key + ".") })
        return key.split(separator: ".").reduce(root) { $0?.mapping?[String($1)] }
    }

    /// Refuses keys of the file that nothing asked for.
    func refuseUnknownKeys() throws(SettingsError) {
        let unknown = keysOfFile.subtracting(keysRead).sorted()
        guard unknown.isEmpty else {
            throw SettingsError(
                "the settings file has keys that nothing reads: \(unknown.joined(separator: ", ")); known: "
                    + keysRead.sorted().joined(separator: ", "))
        }
    }

    private mutating func value(
        _ key: String, _ type: ConfigType
    ) throws(SettingsError) -> ConfigContent? {
        keysRead.insert(key)
        let path = AbsoluteConfigKey(key.split(separator: ".").map(String.init))
        for source in sources {
            do {
                if let value = try source.lookup(path, type).value { return value.content }
            } catch {
                throw SettingsError("\(key) from \(source.name) is no \(type.rawValue)")
            }
        }
        return nil
    }

    private static func keys(of node: Node?, prefix: String = "") -> [String] {
        guard let mapping = node?.mapping else { return prefix.isEmpty ? [] : [prefix] }
        return mapping.flatMap { key, value in
            keys(
                of: value,
                prefix: (prefix.isEmpty ? "" : prefix + ".") + (key.scalar?.string ?? "?"))
        }
    }
}

struct SettingsError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A value that does not show itself.
struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let value: String

    init(_ value: String) {
        self.value = value
    }

    var description: String { "(secret)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
