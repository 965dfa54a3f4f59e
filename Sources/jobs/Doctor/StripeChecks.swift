internal import Billing
internal import Exact
internal import Foundation
internal import HTTP
internal import Ledger

/// Only with a key; a dry run needs none.
struct StripeChecks: Sendable {
    let live: Live

    private var settings: Settings { live.settings }

    func key() async throws -> [Finding] {
        guard let key = settings.stripeAPIKey?.value else {
            return settings.billingMode == .live
                ? [
                    .failure(
                        "stripe", "key", "billing.mode is live, and STRIPE_API_KEY is not set",
                        "set it")
                ] : [.ok("stripe", "key", "no key: billing.mode is dry-run")]
        }
        let (_, isLive) = try settings.requiredStripeKey()
        let kind = key.hasPrefix("rk_") ? "restricted" : "secret"
        return [.ok("stripe", "key", "a \(kind) key of \(isLive ? "live" : "test") mode")]
    }

    private var health: StripeHealth? {
        get throws {
            guard settings.stripeAPIKey != nil else { return nil }
            return StripeHealth(client: try live.stripe(attempts: 1).0)
        }
    }

    func account() async throws -> [Finding] {
        guard let health = try health else { return [] }
        let (_, isLive) = try settings.requiredStripeKey()
        let id = try await health.accountID()
        let text = "\(id), version \(StripeConnection.version)"
        guard let bound = try await StripeAccountStore(pool: live.pool).bound() else {
            return [.ok("stripe", "account", "\(text); the first live run binds the ledger to it")]
        }
        guard bound == BoundAccount(accountID: id, isLive: isLive) else {
            return [
                .failure(
                    "stripe", "account",
                    "the key is of \(id) (\(isLive ? "live" : "test")), the ledger bills into \(bound.accountID) (\(bound.isLive ? "live" : "test"))",
                    "correct STRIPE_API_KEY, or use another database", .refused)
            ]
        }
        return [.ok("stripe", "account", text)]
    }

    func endpoints() async throws -> [Finding] {
        guard let health = try health else { return [] }
        let endpoints = try await health.endpoints()
        guard !endpoints.isEmpty else {
            return [
                .warning(
                    "stripe", "webhooks", "no endpoint ends in /webhooks/stripe",
                    "jobs webhooks endpoint create URL, or run process-webhooks every few minutes")
            ]
        }
        return endpoints.map { endpoint in
            if endpoint.status != "enabled" {
                return .warning(
                    "stripe", "webhooks", "\(endpoint.url) is \(endpoint.status)",
                    "enable it in Stripe's dashboard; jobs serve must answer it")
            }
            if !endpoint.missing.isEmpty {
                return .warning(
                    "stripe", "webhooks",
                    "\(endpoint.url) gets no \(endpoint.missing.joined(separator: ", "))",
                    "add them in Stripe's dashboard, or create the endpoint anew")
            }
            guard endpoint.apiVersion == StripeConnection.version else {
                return .warning(
                    "stripe", "webhooks",
                    "\(endpoint.url) is sent version \(endpoint.apiVersion ?? "of the account"), this program reads \(StripeConnection.version)",
                    "jobs webhooks endpoint create URL, and delete this one")
            }
            return .ok("stripe", "webhooks", "\(endpoint.url) is enabled")
        }
    }

    /// Signatures are refused when they are more than five minutes off.
    private static let mostSkewSeconds: Int64 = 60

    func clock() async throws -> [Finding] {
        guard settings.stripeAPIKey != nil else { return [] }
        let answer = try await live.http.send(
            HTTPRequest(
                method: "HEAD", url: settings.stripeAPIBase + "/healthcheck",
                timeouts: .init(connectSeconds: 5, totalSeconds: 10)))
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        format.timeZone = TimeZone(secondsFromGMT: 0)
        guard let text = answer.headers["Date"], let date = format.date(from: text) else {
            return [.ok("stripe", "clock", "Stripe does not say what time it is")]
        }
        let skew = Instant.now.unixSeconds - Int64(date.timeIntervalSince1970)
        return abs(skew) <= Self.mostSkewSeconds
            ? [.ok("stripe", "clock", "\(abs(skew)) s from Stripe's")]
            : [
                .warning(
                    "stripe", "clock", "this machine is \(skew) s from Stripe's time",
                    "synchronise it (chrony, systemd-timesyncd): webhooks are refused at 300 s")
            ]
    }
}
