/// What the control interface refuses, in words.
struct ControlMistake: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Writes the answer of the control interface.
typealias ControlAnswer = (inout JSONWriter) -> Void

/// The simulator's own interface, below `/_sim/`, in JSON. Its README lists it.
extension Engine {
    func control(_ request: SimulatedRequest) -> SimulatedResponse {
        tick()
        var json = JSONWriter()
        var status = 200
        do {
            try answer(request)(&json)
        } catch {
            status = error is ControlMistake || error is JSONMistake ? 400 : 500
            json = JSONWriter()
            json.object { $0.field("error", "\(error)") }
        }
        return SimulatedResponse(
            status: status,
            headers: [SimulatedResponse.Header(name: "Content-Type", value: "application/json")],
            body: json.bytes)
    }

    private func answer(_ request: SimulatedRequest) throws -> ControlAnswer {
        let body = request.body.isEmpty ? .object([:]) : try JSONValue(request.body)
        guard body.fields != nil || request.path == "/_sim/faults" else {
            throw ControlMistake("the body is no JSON object")
        }
        switch (request.method, request.path) {
        case ("GET", "/_sim/effects"):
            let customer = Form(encoded: request.query.utf8).text("customer")
            return { [account] json in account.effects.write(to: &json, customer: customer) }
        case ("GET", "/_sim/state"): return writeState
        case ("GET", "/_sim/clock"): return writeClock
        case ("GET", "/_sim/held"): return writeHeld
        case ("GET", "/_sim/faults"): return writeFaults
        case ("POST", "/_sim/faults"):
            try setFaults(body)
            return writeFaults
        case ("DELETE", "/_sim/faults"):
            faults.clear()
            return writeFaults
        case ("POST", "/_sim/webhooks"):
            try setWebhooks(body)
            return writeWebhooks
        case ("GET", "/_sim/webhooks"): return writeWebhooks
        case ("POST", "/_sim/limits"):
            try setLimits(body)
            return { $0.object { $0.field("ok", true) } }
        case ("POST", "/_sim/clock"), ("POST", "/_sim/held/release"):
            return try change(request.path, body, text: request.body)
        case ("POST", let path)
        where path.hasPrefix("/_sim/customers/") || path.hasPrefix("/_sim/invoices/")
            || path.hasPrefix("/_sim/refunds/"):
            return try change(path, body, text: request.body)
        default:
            throw ControlMistake("the simulator has no \(request.method) \(request.path)")
        }
    }

    /// Makes a change that the journal holds; the same again when it is replayed.
    func apply(_ path: String, _ body: JSONValue) throws -> ControlAnswer {
        switch path {
        case "/_sim/clock":
            try moveClock(body)
            return writeClock
        case "/_sim/held/release":
            try release(body)
            return writeHeld
        case let path where path.hasPrefix("/_sim/invoices/"):
            return try dispute(path, body)
        case let path where path.hasPrefix("/_sim/refunds/"):
            return try undoRefund(path, body)
        default:
            return try changeCustomer(path, body)
        }
    }

    /// `{"advance_seconds": 86400}` or `{"to": 1795046400}`.
    private func moveClock(_ body: JSONValue) throws {
        try body.allow("advance_seconds", "to")
        let distance: Int
        switch (body["advance_seconds"]?.integer, body["to"]?.integer) {
        case (let seconds?, nil): distance = seconds * 1_000
        case (nil, let time?): distance = time * 1_000 - account.now
        default: throw ControlMistake("either advance_seconds or to, a whole number of seconds")
        }
        guard (0...100 * 366 * 86_400_000).contains(distance) else {
            throw ControlMistake("the clock moves forward only, and at most a hundred years")
        }
        moveClock(byMilliseconds: distance)
    }

    /// `{}` for all, or `{"numbers": [3, 1]}` in that order.
    private func release(_ body: JSONValue) throws {
        try body.allow("numbers")
        let numbers = body["numbers"]?.elements?.compactMap(\.integer) ?? held.keys.sorted()
        if let unknown = numbers.first(where: { held[$0] == nil }) {
            throw ControlMistake("no request \(unknown) is held")
        }
        for number in numbers { deliver(number) }
    }

    /// `/_sim/invoices/in_1 {"dispute": "lost"}`: opens a dispute about what it was paid with, or goes on
    /// with the one that is open.
    private func dispute(_ path: String, _ body: JSONValue) throws -> ControlAnswer {
        try body.allow("dispute")
        let id = String(path.dropFirst("/_sim/invoices/".count))
        guard let payment = account.payments.all(of: id).first(where: { $0.status == .paid }) else {
            throw ControlMistake("no such invoice, or it was not paid by card: \(id)")
        }
        guard let status = body["dispute"]?.text.flatMap(Dispute.Status.init) else {
            let list = Dispute.Status.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlMistake("dispute is one of \(list)")
        }
        account.dispute(payment, status)
        return { $0.object { $0.field("ok", true) } }
    }

    /// `/_sim/refunds/re_1 {"status": "failed"}`
    private func undoRefund(_ path: String, _ body: JSONValue) throws -> ControlAnswer {
        try body.allow("status")
        let id = String(path.dropFirst("/_sim/refunds/".count))
        guard let refund = account.refunds[id], refund.status == .succeeded else {
            throw ControlMistake("no such refund, or it was undone before: \(id)")
        }
        guard let status = body["status"]?.text.flatMap(Refund.Status.init), status != .succeeded
        else { throw ControlMistake("status is failed or canceled") }
        account.undo(refund, as: status)
        return { $0.object { $0.field("ok", true) } }
    }

    /// `/_sim/customers/cus_1`, with what the customer's card does, or `.../pay_open`, `.../fail_open`.
    private func changeCustomer(_ path: String, _ body: JSONValue) throws -> ControlAnswer {
        let parts = path.dropFirst("/_sim/customers/".count).split(separator: "/")
        guard let id = parts.first.map(String.init), var customer = account.customers[id],
            !customer.isDeleted
        else { throw ControlMistake("no such customer: \(parts.first ?? "")") }
        let open = account.invoices.all(of: id).filter { $0.status == .open }
        switch parts.dropFirst().joined(separator: "/") {
        case "":
            try body.allow("card", "tax_percent")
            if let card = body["card"] {
                guard let known = card.text.flatMap(CardBehavior.init) else {
                    let list = CardBehavior.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ControlMistake("card is one of \(list)")
                }
                customer.card = known
            }
            if let percent = body["tax_percent"] {
                guard let number = percent.integer, (0...100).contains(number) else {
                    throw ControlMistake("tax_percent is a whole number from 0 to 100")
                }
                customer.taxPercent = number
            }
            account.customers[id] = customer
        case "pay_open":
            for invoice in open {
                account.effects.count(.charged, customer: id, invoice: invoice.id)
                _ = account.settle(invoice)
            }
        case "fail_open":
            let card = customer.card
            if card == .succeeds { customer.card = .cardDeclined }
            account.customers[id] = customer
            for invoice in open { _ = account.charge(invoice) }
            account.customers[id]?.card = card
        default: throw ControlMistake("a customer has no \(parts.dropFirst().joined())")
        }
        return { json in
            json.object { json in
                json.field("customer", id)
                json.field("card", customer.card.rawValue)
                json.field("invoices", open.count)
            }
        }
    }
}

extension JSONValue {
    /// Refuses what nobody reads.
    func allow(_ names: String...) throws {
        if let unknown = fields?.keys.sorted().first(where: { !names.contains($0) }) {
            throw ControlMistake("unknown: \(unknown); known are \(names.joined(separator: ", "))")
        }
    }
}
