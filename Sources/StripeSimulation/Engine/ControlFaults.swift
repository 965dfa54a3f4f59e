/// Faults, webhooks and limits: what a restart forgets.
extension Engine {
    /// A list of `{"match": {...}, "fault": ...}`, or `{"seed", "chance", "kinds"}`.
    func setFaults(_ body: JSONValue) throws {
        if let rules = body.elements {
            return faults.add(try rules.map(FaultRule.init))
        }
        try body.allow("seed", "chance", "kinds")
        guard let seed = body["seed"]?.integer, let chance = body["chance"]?.number,
            (0...1).contains(chance), let kinds = body["kinds"]?.elements, !kinds.isEmpty
        else {
            throw ControlMistake(
                "either a list of faults, or seed (a whole number), chance (0 to 1) and kinds "
                    + "(a list)")
        }
        faults.set(
            FaultChance(
                seed: UInt64(truncatingIfNeeded: seed), chance: chance,
                faults: try kinds.map(Fault.init)))
    }

    /// `{"on", "duplicates_percent", "reorder", "delay_ms"}`, each if it changes.
    func setWebhooks(_ body: JSONValue) throws {
        try body.allow("on", "duplicates_percent", "reorder", "delay_ms")
        webhooks.isOn = body["on"]?.bool ?? webhooks.isOn
        webhooks.isReordering = body["reorder"]?.bool ?? webhooks.isReordering
        webhooks.duplicatesPercent =
            body["duplicates_percent"]?.integer ?? webhooks.duplicatesPercent
        webhooks.delayMilliseconds = body["delay_ms"]?.integer ?? webhooks.delayMilliseconds
    }

    /// `{"endpoint_per_second": 25, "global_per_second": 100, "latency_ms": 100}`; zero: no limit.
    func setLimits(_ body: JSONValue) throws {
        try body.allow("endpoint_per_second", "global_per_second", "latency_ms")
        latencyMilliseconds = body["latency_ms"]?.integer ?? latencyMilliseconds
        guard body["endpoint_per_second"] != nil || body["global_per_second"] != nil else { return }
        let limits = RateLimits(
            endpointPerSecond: body["endpoint_per_second"]?.integer ?? 25,
            globalPerSecond: body["global_per_second"]?.integer ?? 100)
        limiter = limits.endpointPerSecond > 0 ? RateLimiter(limits: limits) : nil
    }
}

extension FaultRule {
    fileprivate init(_ json: JSONValue) throws {
        try json.allow("match", "fault", "times")
        let match = json["match"] ?? .object([:])
        try match.allow("method", "path", "nth", "containing")
        guard let fault = json["fault"] else { throw ControlMistake("no fault") }
        let (nth, times) = (match["nth"]?.integer ?? 1, json["times"]?.integer ?? 1)
        guard nth >= 1, times >= 1 else { throw ControlMistake("nth and times are at least 1") }
        self.init(
            method: match["method"]?.text, path: match["path"]?.text,
            containing: match["containing"]?.text, nth: nth, times: times, try Fault(fault))
    }
}

extension Fault {
    /// The name of a kind, or an object with the kind and its numbers.
    fileprivate init(_ json: JSONValue) throws {
        try json.allow(
            "kind", "milliseconds", "max_milliseconds", "deliver_after_ms", "should_retry")
        guard let kind = (json.text ?? json["kind"]?.text).flatMap(Kind.init) else {
            let list = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlMistake("a fault is one of \(list)")
        }
        self.init(
            kind, milliseconds: json["milliseconds"]?.integer ?? 0,
            maximumMilliseconds: json["max_milliseconds"]?.integer,
            deliverAfterMilliseconds: json["deliver_after_ms"]?.integer,
            shouldRetry: json["should_retry"]?.bool)
        guard milliseconds >= 0, maximumMilliseconds ?? 0 >= 0, deliverAfterMilliseconds ?? 0 >= 0
        else { throw ControlMistake("times are not negative") }
    }
}
