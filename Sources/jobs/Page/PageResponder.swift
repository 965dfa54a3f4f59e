internal import Exact
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Logging
internal import NIOCore

/// The page for people: only for those who say who they are, and without scripts.
struct PageResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let access: PageAccess
    let views: PageViews
    private var live: Live { views.live }

    private static let maximumFormBytes = 16 << 10

    func respond(to request: Request, context: Context) async throws -> Response {
        // Also for the page that asks people to sign in; it says nothing of anybody.
        if request.method == .get, request.uri.path == "/style.css" { return Self.style }
        guard let person = access.person(request.headers) else {
            var response = Self.page(
                .unauthorized, PageFrame.message("Sign in", "The page is for those who sign in."))
            let refusal = access.refusal(request.headers)
            if !refusal.isEmpty {
                live.logger.warning("sign-in refused", metadata: refusal)
            }
            if case .basic = access.mode {
                response.headers[.wwwAuthenticate] = "Basic realm=\"MeterFlow\", charset=\"UTF-8\""
            }
            return response
        }
        do {
            switch request.method {
            case .get: return try await show(request, person)
            case .post: return try await change(request, person)
            default:
                return Self.page(
                    .methodNotAllowed, PageFrame.message("Not possible", "This can only be read."))
            }
        } catch let error as LedgerError {
            let status: HTTPResponse.Status = error.code == .notFound ? .notFound : .conflict
            return Self.page(status, PageFrame.message("Not possible", error.description))
        } catch {
            live.logger.error("the page", metadata: ["error": "\(error)"])
            return Self.page(
                .serviceUnavailable,
                PageFrame.message(
                    "Not now", "The ledger does not answer; try again soon. The log says why."))
        }
    }

    private func show(_ request: Request, _ person: String) async throws -> Response {
        guard let parts = Self.parts(request), let query = Self.fields(request.uri.query ?? "")
        else { return Self.nothing }
        let token = access.allowsChanges ? access.token(of: person) : nil
        switch (parts.first, parts.dropFirst().first, parts.count) {
        case (nil, _, 0):
            guard let month = try await views.months().first else {
                return Self.page(
                    .ok, PageFrame.message("Billing", "No month was billed yet: jobs run bill."))
            }
            return Self.redirect(to: PageFrame.address(["months", "\(month)"]))
        case ("months", let name?, 2):
            let status = query["status"].flatMap { $0.isEmpty ? nil : $0 }
            guard let month = CivilMonth(name),
                status.map(PageViews.invoiceStatuses.contains) ?? true
            else { return Self.nothing }
            return Self.page(
                .ok,
                try await views.month(
                    month,
                    .init(status: status, customer: query["customer"], after: query["after"])))
        case ("invoices", let id?, 2):
            return Self.page(.ok, try await views.invoice(id, token: token))
        case ("anomalies", _, 1):
            let name = query["status"] ?? Anomaly.Status.open.rawValue
            let status = Anomaly.Status(rawValue: name)
            let before = query["before"].map { Instant($0) }
            guard status != nil || name == "any", before.map({ $0 != nil }) ?? true else {
                return Self.nothing
            }
            return Self.page(
                .ok,
                try await views.anomalies(
                    status, before: before?.map { ($0, query["id"] ?? "") }))
        case ("anomalies", let id?, 2):
            return Self.page(.ok, try await views.anomaly(id, token: token))
        case ("runs", _, 1): return Self.page(.ok, try await views.runs())
        default: return Self.nothing
        }
    }

    private func change(_ request: Request, _ person: String) async throws -> Response {
        guard access.allowsChanges else {
            return Self.page(
                .forbidden,
                PageFrame.message("Not possible", "Nothing can be changed here (page.changes)."))
        }
        guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
            return Self.page(.contentTooLarge, PageFrame.message("Not possible", "It is too long."))
        }
        guard let parts = Self.parts(request), let form = Self.fields(String(buffer: body)) else {
            return Self.nothing
        }
        // Browsers say where a form came from; the token says it to those that do not.
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        guard site ?? "same-origin" == "same-origin",
            access.accepts(form["token"] ?? "", of: person)
        else {
            return Self.page(
                .forbidden,
                PageFrame.message("Not possible", "The form is out of date: load its page again."))
        }
        let reason = form["reason"]?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        guard parts.count == 3 else { return Self.nothing }
        guard !reason.isEmpty, reason.utf8.count <= 1000 else {
            return Self.page(.badRequest, PageFrame.message("Not possible", "A reason is needed."))
        }
        let id = parts[1]
        let hold = InvoiceHold(pool: live.pool, person: person)
        switch (parts[0], parts[2]) {
        case ("invoices", "hold"): try await hold.hold(id, reason: reason)
        case ("invoices", "release"): try await hold.release(id, reason: reason)
        case ("anomalies", "acknowledge"):
            let store = AnomalyStore(pool: live.pool)
            _ = try await store.anomalies([id])
            _ = try await store.review([id], .acknowledged, by: person, note: reason)
        default: return Self.nothing
        }
        live.logger.notice(
            "changed by hand", metadata: ["path": "\(request.uri.path)", "person": "\(person)"])
        return Self.redirect(to: PageFrame.address([parts[0], id]))
    }

    // MARK: Requests

    /// - Returns: `nil` if it is no path that anybody wrote.
    private static func parts(_ request: Request) -> [String]? {
        let parts = request.uri.path.split(separator: "/")
        let decoded = parts.compactMap(text)
        return decoded.count == parts.count ? decoded : nil
    }

    /// Of a query or a form; the last of a name counts. `nil` if it cannot be read.
    private static func fields(_ text: String) -> [String: String]? {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .compactMap { Self.text($0.replacing("+", with: " ")) }
            guard parts.count == 2 else { return nil }
            fields[parts[0]] = parts[1]
        }
        return fields
    }

    /// Without NUL, which no column of text can hold.
    private static func text(_ encoded: some StringProtocol) -> String? {
        encoded.removingPercentEncoding.flatMap { $0.utf8.contains(0) ? nil : $0 }
    }

    // MARK: Answers

    private static var nothing: Response {
        page(.notFound, PageFrame.message("Not found", "There is nothing here."))
    }

    private static func page(_ status: HTTPResponse.Status, _ html: HTML) -> Response {
        answer(status, "text/html; charset=utf-8", html.text)
    }

    private static var style: Response {
        var response = answer(.ok, "text/css; charset=utf-8", PageFrame.style.text)
        response.headers[.cacheControl] = "private, max-age=3600"
        return response
    }

    /// Nothing is loaded from elsewhere, nothing runs, nobody frames it, and nothing is kept.
    private static func answer(
        _ status: HTTPResponse.Status, _ type: String, _ text: String
    ) -> Response {
        var headers: HTTPFields = [
            .contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            .contentSecurityPolicy:
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ]
        for (name, value) in [("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY")] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private static func redirect(to path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"])
    }
}
