/// What went into the simulator, in order: the same again makes the same state.
enum JournalEntry: Sendable {
    case tick(at: Int)
    case request(at: Int, number: Int, SimulatedRequest, fault: Fault.Kind?)
    case hold(at: Int, number: Int, SimulatedRequest, due: Int?)
    case control(at: Int, path: String, body: [UInt8])
    case delivery(at: Int, number: Int, isTaken: Bool)
    case endpoint(at: Int, url: String, secret: String)

    /// Milliseconds since 1970.
    var time: Int {
        switch self {
        case .tick(let time), .request(let time, _, _, _), .hold(let time, _, _, _),
            .control(let time, _, _), .delivery(let time, _, _), .endpoint(let time, _, _):
            time
        }
    }

    /// One line, without its end.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("at", time)
            switch self {
            case .tick: json.field("do", "tick")
            case .request(_, let number, let request, let fault):
                json.field("do", "request")
                json.field("number", number)
                if let fault { json.field("fault", fault.rawValue) }
                request.write(to: &json)
            case .hold(_, let number, let request, let due):
                json.field("do", "hold")
                json.field("number", number)
                if let due { json.field("due", due) }
                request.write(to: &json)
            case .control(_, let path, let body):
                json.field("do", "control")
                json.field("path", path)
                json.field("body", String(decoding: body, as: UTF8.self))
            case .delivery(_, let number, let isTaken):
                json.field("do", "delivery")
                json.field("number", number)
                json.field("taken", isTaken)
            case .endpoint(_, let url, let secret):
                json.field("do", "endpoint")
                json.field("url", url)
                json.field("secret", secret)
            }
        }
    }

    init?(_ json: JSONValue) {
        guard let time = json["at"]?.integer else { return nil }
        let number = json["number"]?.integer ?? 0
        switch json["do"]?.text {
        case "tick": self = .tick(at: time)
        case "request":
            guard let request = SimulatedRequest(json) else { return nil }
            let fault = json["fault"]?.text.flatMap(Fault.Kind.init)
            self = .request(at: time, number: number, request, fault: fault)
        case "hold":
            guard let request = SimulatedRequest(json) else { return nil }
            self = .hold(at: time, number: number, request, due: json["due"]?.integer)
        case "control":
            guard let path = json["path"]?.text, let body = json["body"]?.text else { return nil }
            self = .control(at: time, path: path, body: Array(body.utf8))
        case "delivery":
            guard let isTaken = json["taken"]?.bool else { return nil }
            self = .delivery(at: time, number: number, isTaken: isTaken)
        case "endpoint":
            guard let url = json["url"]?.text, let secret = json["secret"]?.text else { return nil }
            self = .endpoint(at: time, url: url, secret: secret)
        default: return nil
        }
    }
}

extension SimulatedRequest {
    fileprivate func write(to json: inout JSONWriter) {
        json.field("method", method)
        json.field("path", path)
        if !query.isEmpty { json.field("query", query) }
        json.field("body", String(decoding: body, as: UTF8.self))
        if let idempotencyKey { json.field("key", idempotencyKey) }
    }

    fileprivate init?(_ json: JSONValue) {
        guard let method = json["method"]?.text, let path = json["path"]?.text,
            let body = json["body"]?.text
        else { return nil }
        self.init(
            method: method, path: path, query: json["query"]?.text ?? "", body: Array(body.utf8),
            idempotencyKey: json["key"]?.text)
    }
}
