/// An object that lists can page through.
protocol Stored: Sendable {
    var id: String { get }
    var created: Int { get }
    /// What it is looked up by besides its id: its customer, or its invoice.
    var owner: String? { get }
}

/// All objects of one kind in the order of their creation, which lists show backwards.
struct Shelf<Item: Stored>: Sendable {
    private var items: [Item?] = []
    private var positions: [String: Int] = [:]
    private var positionsByOwner: [String: [Int]] = [:]

    /// Setting puts a new object at the end, replaces a known one, or takes it away.
    subscript(id: String) -> Item? {
        get { positions[id].flatMap { items[$0] } }
        set {
            if let position = positions[id] {
                items[position] = newValue
            } else if let newValue {
                positions[id] = items.count
                if let owner = newValue.owner {
                    positionsByOwner[owner, default: []].append(items.count)
                }
                items.append(newValue)
            }
        }
    }

    var all: some Sequence<Item> { items.lazy.compactMap { $0 } }

    func all(of owner: String) -> [Item] {
        (positionsByOwner[owner] ?? []).compactMap { items[$0] }
    }

    /// Forgets the oldest ones for which the condition holds.
    mutating func removeOldest(while condition: (Item) -> Bool) {
        var count = 0
        while count < items.count {
            if let item = items[count] {
                guard condition(item) else { break }
                positions[item.id] = nil
            }
            count += 1
        }
        // Moving the rest is paid for by as many removals.
        guard count > 1_024, count * 2 > items.count else {
            for index in 0..<count { items[index] = nil }
            return
        }
        items.removeFirst(count)
        positions = positions.mapValues { $0 - count }
        positionsByOwner = positionsByOwner.mapValues { list in
            list.compactMap { $0 < count ? nil : $0 - count }
        }
    }

    struct Page {
        let items: [Item]
        let hasMore: Bool
    }

    /// A page, newest first.
    ///
    /// - Parameters:
    ///   - owner: only the objects of this customer or invoice.
    ///   - form: `limit`, `starting_after`, `ending_before` and `created`.
    ///   - kind: the word for an object in a refusal.
    func page(
        owner: String? = nil, _ form: Form, kind: String, _ isWanted: (Item) -> Bool
    ) throws(StripeError) -> Page {
        let limit = try form.limit()
        let created = form["created"].map(TimeRange.init) ?? TimeRange()
        let candidates = owner.map { positionsByOwner[$0] ?? [] }
        func isListed(_ position: Int) -> Bool {
            guard let item = items[position] else { return false }
            return created.contains(item.created) && isWanted(item)
        }
        var found: [Item] = []
        var hasMore = false
        func take(_ position: Int) -> Bool {
            guard isListed(position), let item = items[position] else { return true }
            if found.count == limit {
                hasMore = true
                return false
            }
            found.append(item)
            return true
        }
        if let cursor = form.text("ending_before") {
            let start = try position(cursor, kind: kind, parameter: "ending_before") + 1
            for position in candidates.map({ $0[...] }) ?? ArraySlice(0..<items.count)
            where position >= start {
                if !take(position) { break }
            }
            found.reverse()
            return Page(items: found, hasMore: hasMore)
        }
        var end = items.count
        if let cursor = form.text("starting_after") {
            end = try position(cursor, kind: kind, parameter: "starting_after")
        }
        if let candidates {
            for position in candidates.reversed() where position < end {
                if !take(position) { break }
            }
        } else {
            for position in (0..<end).reversed() {
                if let item = items[position], item.created < created.lowest { break }
                if !take(position) { break }
            }
        }
        return Page(items: found, hasMore: hasMore)
    }

    private func position(
        _ id: String, kind: String, parameter: String
    ) throws(StripeError) -> Int {
        guard let position = positions[id] else {
            throw .missing(kind, id, parameter: parameter)
        }
        return position
    }
}

/// `created`, `created[gte]` and the like.
struct TimeRange {
    private(set) var lowest = Int.min
    private var highest = Int.max

    init() {}

    init(_ form: Form) {
        if let time = form.text.flatMap({ Int($0) }) { (lowest, highest) = (time, time) }
        if let time = form.integer("gt") { lowest = max(lowest, time + 1) }
        if let time = form.integer("gte") { lowest = max(lowest, time) }
        if let time = form.integer("lt") { highest = min(highest, time - 1) }
        if let time = form.integer("lte") { highest = min(highest, time) }
    }

    func contains(_ time: Int) -> Bool { lowest <= time && time <= highest }
}

extension Form {
    /// How many objects a list gives: 1 to 100, 10 if nothing is said.
    func limit() throws(StripeError) -> Int {
        guard let limit = integer("limit") else { return 10 }
        guard limit >= 1 else {
            throw StripeError(
                code: "parameter_invalid_integer",
                "This value must be greater than or equal to 1.", parameter: "limit")
        }
        guard limit <= 100 else {
            throw StripeError(
                code: "parameter_invalid_integer",
                "This value must be less than or equal to 100.", parameter: "limit")
        }
        if self["starting_after"] != nil, self["ending_before"] != nil {
            throw StripeError(
                code: "parameters_exclusive",
                "You may only specify one of these parameters: starting_after, ending_before.",
                parameter: "starting_after")
        }
        return limit
    }
}
