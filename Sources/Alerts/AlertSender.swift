internal import Exact
internal import Foundation
package import HTTP
package import Ledger

/// Why a message was not delivered. Addresses and keys stay out of it.
package enum AlertFailure: Error, Sendable, Equatable {
    /// The service refuses it, and would again.
    case refused(String)
    /// It may be taken later; after so many seconds, if the service says so.
    case later(String, afterSeconds: Int?)
}

/// Hands a message to a route's service.
package protocol AlertSending: Sendable {
    /// - Returns: who of several did not get it, in words; `nil`: everybody did.
    /// - Throws: `AlertFailure`.
    func send(_ message: AlertMessage, to route: AlertRoute) async throws -> String?
}

package struct AlertSender: AlertSending {
    private let http: HTTPClient
    /// Names this ledger to the services: part of every key that must be unique there.
    private let source: String
    /// Unix time in seconds.
    private let now: @Sendable () -> Int64

    private static let timeouts = HTTPTimeouts(
        connectSeconds: 10, totalSeconds: 30, stalledSeconds: 30)

    package init(http: HTTPClient, source: String, now: @escaping @Sendable () -> Int64) {
        self.http = http
        self.source = source
        self.now = now
    }

    package func send(_ message: AlertMessage, to route: AlertRoute) async throws -> String? {
        switch route.channel {
        case .slack(let url):
            try await post(SlackMessage.body(message).bytes, to: url)
        case .pagerDuty(let key, let base):
            for note in message.notes {
                let body = PagerDutyEvent.body(note, routingKey: key, source: source)
                try await post(body.bytes, to: base + PagerDutyEvent.path)
            }
        case .email(let server, let sender, let recipients):
            return try await mail(message, server, sender, recipients)
        case .webhook(let url, let secret):
            for note in message.notes {
                let body = WebhookCall.body(note, message: message.id, source: source).bytes
                try await post(
                    body, to: url,
                    [
                        "MeterFlow-Signature":
                            WebhookCall.signature(of: body, secret: secret, at: now()),
                        "Idempotency-Key": "\(source)-\(message.id)",
                    ])
            }
        case .file(let path):
            let lines = message.notes.map {
                WebhookCall.body($0, message: message.id, source: source).text + "\n"
            }
            try append(lines.joined(), to: path)
        }
        return nil
    }

    private func post(_ body: [UInt8], to url: String, _ headers: HTTPHeaders = [:]) async throws {
        var headers = headers
        headers["Content-Type"] = "application/json"
        let request = HTTPRequest(
            method: "POST", url: url, headers: headers, body: .bytes(body),
            timeouts: Self.timeouts, maximumResponseBytes: 64 << 10, pathIsSecret: true)
        let response: HTTPResponse
        do {
            response = try await http.send(request)
        } catch {
            if error.code == .cancelled { throw error }
            throw AlertFailure.later("\(error)", afterSeconds: nil)
        }
        let status = response.status
        guard !(200..<300).contains(status) else { return }
        // What services say of a refusal is short, and tells what to mend.
        let said = String(decoding: response.body.prefix(300), as: UTF8.self)
            .filter { !$0.isNewline }
        let text = "answered \(status)" + (said.isEmpty ? "" : ": \(said)")
        let isRefused = (400..<500).contains(status) && ![408, 409, 425, 429].contains(status)
        if isRefused { throw AlertFailure.refused(text) }
        throw AlertFailure.later(
            text, afterSeconds: response.headers["Retry-After"].flatMap { Int($0) })
    }

    /// - Returns: whom the server refused beside those that it took.
    private func mail(
        _ message: AlertMessage, _ server: SMTPServer, _ sender: String, _ recipients: [String]
    ) async throws -> String? {
        let mail = MailMessage(
            sender: sender, recipients: recipients, message: message, source: source)
        do {
            let refused = try await SMTPClient.send(
                mail.bytes, from: sender, to: recipients, through: server)
            guard !refused.isEmpty else { return nil }
            return "refused: "
                + refused.map { "\($0.recipient) (\($0.status))" }.joined(separator: ", ")
        } catch let error as SMTPError {
            // 530, 534, 535: who we are; a person mends that while it is tried again.
            if error.status >= 550 { throw AlertFailure.refused(error.description) }
            throw AlertFailure.later(error.description, afterSeconds: nil)
        }
    }

    /// All of it at once: several processes may append to one file.
    private func append(_ text: String, to path: String) throws(AlertFailure) {
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw .later(Self.reason(path), afterSeconds: nil) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw .later(Self.reason(path), afterSeconds: nil)
        }
    }

    private static func reason(_ path: String) -> String {
        "\(path) cannot be written: \(String(cString: strerror(errno)))"
    }
}
