/// Refuses what Stripe refuses before it begins to execute a request.
extension ParameterRules {
    /// - Parameter prefix: the parameter that holds the fields, `lines[0]`; empty at the top. Asked
    ///   for only when something is wrong.
    func check(_ form: Form, prefix: () -> String = { "" }) throws(StripeError) {
        func full(_ name: String) -> String {
            let prefix = prefix()
            return prefix.isEmpty ? name : "\(prefix)[\(name)]"
        }
        for child in form.children {
            guard let rule = rules[child.name] else {
                let name = full(child.name)
                throw unserved.contains(child.name) ? .unserved(name) : .unknown(name)
            }
            if child.form.text == "" && child.form.children.isEmpty {
                guard rule.mayBeEmpty else { throw .empty(full(child.name)) }
                continue
            }
            try rule.type.check(child.form) { full(child.name) }
        }
        for name in required where form[name] == nil {
            let name = full(name)
            throw StripeError(
                code: "parameter_missing", "Missing required param: \(name).", parameter: name)
        }
    }
}

extension ParameterType {
    fileprivate func check(_ form: Form, _ name: () -> String) throws(StripeError) {
        switch self {
        case .object(let rules):
            guard form.text == nil else { throw .wrong("object", name()) }
            try rules.check(form, prefix: name)
        case .list(let type):
            guard form.text == nil, form.children.allSatisfy(\.isElement) else {
                throw .wrong("array", name())
            }
            for (index, child) in form.children.enumerated() {
                try type.check(child.form) { "\(name())[\(index)]" }
            }
        case .metadata:
            try checkMetadata(form, name)
        case .range where form.text == nil:
            for child in form.children {
                guard ["gt", "gte", "lt", "lte"].contains(child.name) else {
                    throw .unknown("\(name())[\(child.name)]")
                }
                try ParameterType.integer.check(child.form) { "\(name())[\(child.name)]" }
            }
        default:
            guard let text = form.text, form.children.isEmpty else {
                throw .wrong("string", name())
            }
            if let error = refusal(of: text, name) { throw error }
        }
    }

    /// Wide enough for all that makes sense, and no sum of a few of them overflows.
    private static let integers = -1_000_000_000_000_000...1_000_000_000_000_000
    /// Until the year 9999.
    private static let times = 0...253_402_300_799

    /// Why a text is no value of the type.
    private func refusal(of text: String, _ name: () -> String) -> StripeError? {
        switch self {
        case .text(let maximum):
            return text.utf8.count <= maximum || text.unicodeScalars.count <= maximum
                ? nil : .tooLong(name(), maximum)
        case .integer, .range:
            return Int(text).map(Self.integers.contains) ?? false
                ? nil : .invalidInteger("integer", text, name())
        case .time:
            return Int(text).map(Self.times.contains) ?? false
                ? nil : .invalidInteger("timestamp", text, name())
        case .boolean:
            return text == "true" || text == "false"
                ? nil : StripeError("Invalid boolean: \(text)", parameter: name())
        case .currency:
            return Currencies.all.contains(text.lowercased())
                ? nil
                : StripeError(
                    "Invalid currency: \(text). Stripe currently supports these currencies: "
                        + Currencies.all.sorted().joined(separator: ", "), parameter: name())
        case .choice(let names):
            if names.contains(text) { return nil }
            let list = names.dropLast().joined(separator: ", ")
            let last = names.last ?? ""
            return StripeError(
                "Invalid \(name()): must be one of \(list.isEmpty ? "" : list + ", or ")\(last)",
                parameter: name())
        case .event:
            return text == "*" || EventTypes.all.contains(text)
                ? nil
                : StripeError("Invalid \(name()): unknown event type \(text)", parameter: name())
        case .object, .list, .metadata: preconditionFailure("no text")
        }
    }

    /// At most 50 keys of at most 40 characters without brackets, values of at most 500.
    private func checkMetadata(_ form: Form, _ name: () -> String) throws(StripeError) {
        guard form.text == nil else { throw .wrong("object", name()) }
        guard form.children.count <= 50 else {
            throw StripeError(
                "You can have at most 50 metadata keys on an object.", parameter: name())
        }
        for child in form.children {
            let key = child.name
            guard !key.isEmpty, !key.contains("["), !key.contains("]") else {
                throw StripeError("Invalid metadata key: '\(key)'", parameter: name())
            }
            guard key.unicodeScalars.count <= 40 else {
                throw StripeError(
                    "Metadata keys can be at most 40 characters long; '\(key)' is longer.",
                    parameter: name())
            }
            guard let text = child.form.text else { throw .wrong("string", "\(name())[\(key)]") }
            guard text.unicodeScalars.count <= 500 else {
                throw .tooLong("\(name())[\(key)]", 500)
            }
        }
    }
}

extension Form.Child {
    fileprivate var isElement: Bool { name.isEmpty || Int(name) != nil }
}

extension StripeError {
    fileprivate static func unknown(_ name: String) -> StripeError {
        StripeError(
            code: "parameter_unknown", "Received unknown parameter: \(name)", parameter: name)
    }

    fileprivate static func invalidInteger(
        _ kind: String, _ text: String, _ name: String
    ) -> StripeError {
        StripeError(
            code: "parameter_invalid_integer", "Invalid \(kind): \(text)", parameter: name)
    }

    fileprivate static func wrong(_ type: String, _ name: String) -> StripeError {
        StripeError("Invalid \(type): \(name)", parameter: name)
    }

    fileprivate static func tooLong(_ name: String, _ maximum: Int) -> StripeError {
        StripeError(
            "Invalid string: \(name) must be at most \(maximum) characters", parameter: name)
    }

    fileprivate static func empty(_ name: String) -> StripeError {
        StripeError(
            code: "parameter_invalid_empty",
            "You passed an empty string for '\(name)'. We assume empty values are an attempt to "
                + "unset a parameter; however '\(name)' cannot be unset. You should remove "
                + "'\(name)' from your request or supply a non-empty value.", parameter: name)
    }
}
