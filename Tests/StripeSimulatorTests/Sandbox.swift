import Foundation
import StripeSimulation
import Synchronization
import Testing

/// A simulator whose clock stands still until it is moved, and a client that speaks to it.
final class Sandbox: Sendable {
    /// 2026-11-18T08:26:40Z, in milliseconds.
    static let start = 1_795_000_000_000

    let simulator: StripeSimulator

    init(_ change: (inout StripeSimulator.Settings) -> Void = { _ in }) throws {
        var settings = StripeSimulator.Settings(clock: { Self.start })
        change(&settings)
        simulator = try StripeSimulator(settings)
    }

    @discardableResult
    func send(
        _ method: String, _ path: String, _ parameters: String = "", key: String? = nil
    ) -> Answer {
        let isRead = method == "GET"
        return Answer(
            simulator.respond(
                to: SimulatedRequest(
                    method: method, path: path, query: isRead ? parameters : "",
                    body: isRead ? [] : Array(parameters.utf8),
                    authorization: "Bearer sk_test_simulator", idempotencyKey: key)))
    }

    @discardableResult
    func post(_ path: String, _ parameters: String = "", key: String? = nil) -> Answer {
        send("POST", path, parameters, key: key)
    }

    func get(_ path: String, _ query: String = "") -> Answer { send("GET", path, query) }

    /// The interface below `/_sim/`.
    @discardableResult
    func control(_ method: String, _ path: String, _ json: String = "") -> Answer {
        Answer(
            simulator.respond(
                to: SimulatedRequest(method: method, path: path, body: Array(json.utf8))))
    }

    func customer(_ parameters: String = "email=a@example.com") -> String {
        post("/v1/customers", parameters)["id"]?.text ?? "none"
    }

    /// A draft with one line of 20.00 USD.
    func draft(_ customer: String? = nil, _ parameters: String = "") -> String {
        let customer = customer ?? self.customer()
        let id = post("/v1/invoices", "customer=\(customer)&currency=usd\(parameters)").id
        post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=2000")
        return id
    }

    func open(_ customer: String? = nil, _ parameters: String = "") -> String {
        let id = draft(customer, parameters)
        post("/v1/invoices/\(id)/finalize")
        return id
    }

    func status(_ invoice: String) -> String? {
        get("/v1/invoices/\(invoice)")["status"]?.text
    }

    /// The types of all events, oldest first.
    func events(_ query: String = "limit=100") -> [String] {
        let data = get("/v1/events", query)["data"]?.elements ?? []
        return data.reversed().compactMap { $0["type"]?.text }
    }
}

/// What a client hears.
struct Answer {
    let outcome: Outcome
    let json: JSONValue

    init(_ outcome: Outcome) {
        self.outcome = outcome
        json = (try? JSONValue(outcome.response.body)) ?? .null
    }

    subscript(name: String) -> JSONValue? { json[name] }

    var status: Int { outcome.response.status }
    var id: String { json["id"]?.text ?? "none" }
    var code: String? { json["error"]?["code"]?.text }
    var message: String? { json["error"]?["message"]?.text }
    var ids: [String] { json["data"]?.elements?.compactMap { $0["id"]?.text } ?? [] }

    func header(_ name: String) -> String? { outcome.response[name] }
}

/// The account's counts of an effect.
extension Sandbox {
    func count(_ effect: Effect) -> Int { simulator.effects.total[effect] }
}
