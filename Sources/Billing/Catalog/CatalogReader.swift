internal import Exact
internal import Usage
internal import Yams

extension Catalog {
    /// Reads `catalog.yaml`.
    ///
    /// - Throws: `InvalidCatalog` with every mistake and its line, not only the first.
    package init(yaml: String) throws(InvalidCatalog) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch let error as YamlError {
            throw InvalidCatalog(
                problems: [.init(line: error.line, message: "no YAML: \(error.problem)")])
        } catch {
            throw InvalidCatalog(problems: [.init(line: 1, message: "no YAML: \(error)")])
        }
        guard let root else {
            throw InvalidCatalog(problems: [.init(line: 1, message: "the file is empty")])
        }
        let problems = CatalogProblems()
        let catalog = Self.read(CatalogNode(root, path: "catalog", problems: problems))
        guard let catalog, problems.found.isEmpty else {
            throw InvalidCatalog(problems: problems.found)
        }
        self = catalog
    }

    private static func read(_ node: CatalogNode) -> Catalog? {
        guard let fields = node.fields(required: ["version", "effective_from", "metrics", "plans"])
        else { return nil }
        let version = fields["version"]?.identifier()
        let effectiveFrom = fields["effective_from"]?.date()
        let metrics = fields["metrics"]?.list(nonEmpty: true).compactMap(Metric.read) ?? []
        fields["metrics"]?.refuseDuplicates(metrics.map(\.code), of: "metric")
        // Also of metrics with mistakes, so that each mistake is reported once.
        let named = fields["metrics"]?.list(nonEmpty: false).compactMap { $0.member("code") }
        let codes = Set(named ?? [])
        let plans = fields["plans"]?.list(nonEmpty: true).compactMap {
            Plan.read($0, metrics: codes)
        }
        fields["plans"]?.refuseDuplicates((plans ?? []).map(\.code), of: "plan")
        guard let version, let effectiveFrom, let plans else { return nil }
        return Catalog(
            version: version, effectiveFrom: effectiveFrom, metrics: metrics, plans: plans)
    }
}

extension Metric {
    static func read(_ node: CatalogNode) -> Metric? {
        guard
            let fields = node.fields(
                required: ["code", "event_type", "aggregation", "unit"],
                optional: ["property", "where"])
        else { return nil }
        let code = fields["code"]?.identifier()
        let eventType = fields["event_type"]?.identifier()
        let aggregation = fields["aggregation"]?.choice(of: Aggregation.self)
        let property = fields["property"]?.text()
        let unit = fields["unit"]?.text()
        let conditions = fields["where"]?.members().compactMap { Condition.read($0, $1) } ?? []
        guard let code, let eventType, let aggregation, let unit else { return nil }
        switch (aggregation, property) {
        case (.count, .some):
            fields["property"]?.report("count counts events: remove property, or use unique_count")
            return nil
        case (.count, nil): break
        case (_, nil):
            node.report("\(aggregation.rawValue) needs the property that it aggregates")
            return nil
        default: break
        }
        return Metric(
            code: code, eventType: eventType, aggregation: aggregation, property: property,
            conditions: conditions.sorted { $0.property < $1.property }, unit: unit)
    }
}

extension Condition {
    static func read(_ property: String, _ node: CatalogNode) -> Condition? {
        guard node.isMapping else {
            guard let value = node.text() else { return nil }
            return Condition(property: property, test: .isOne(of: [value]))
        }
        let names = Comparison.allCases.map(\.rawValue) + ["eq", "in", "missing"]
        guard let fields = node.fields(required: [], optional: names) else { return nil }
        let missing = fields["missing"]?.text()
        if let missing, !["pass", "fail"].contains(missing) {
            fields["missing"]?.report("missing is pass or fail, not '\(missing)'")
        }
        var bounds: [Comparison: ExactDecimal] = [:]
        for comparison in Comparison.allCases {
            bounds[comparison] = fields[comparison.rawValue]?.decimal(maximumPlaces: 30)
        }
        let values =
            fields["in"]?.list(nonEmpty: true).compactMap { $0.text() }
            ?? fields["eq"]?.text().map { [$0] }
        let tests = fields.keys.filter { $0 != "missing" }
        switch (values, bounds.isEmpty) {
        case (let values?, true) where tests.count == 1:
            return Condition(
                property: property, test: .isOne(of: values), passesWhenMissing: missing == "pass")
        case (nil, false):
            return Condition(
                property: property, test: .bounds(bounds), passesWhenMissing: missing == "pass")
        default:
            node.report(
                "a condition is a value, or one of eq and in, or bounds of gte, gt, lte, lt")
            return nil
        }
    }
}

extension Plan {
    static func read(_ node: CatalogNode, metrics: Set<String>) -> Plan? {
        guard
            let fields = node.fields(
                required: ["code", "currency", "charges"], optional: ["base_fee", "minimum"])
        else { return nil }
        let code = fields["code"]?.identifier()
        let currency = fields["currency"]?.currency()
        let charges = fields["charges"]?.list(nonEmpty: false).compactMap {
            Charge.read($0, metrics: metrics)
        }
        let baseFee = fields["base_fee"]?.amount()
        let minimum = fields["minimum"]?.amount()
        guard let code, let currency, let charges else { return nil }
        fields["charges"]?.refuseDuplicates(charges.map(\.metric), of: "charge for the metric")
        let lines = charges.count + (baseFee == nil ? 0 : 1) + (minimum == nil ? 0 : 1)
        if lines > maximumLines {
            node.report("\(lines) lines; an invoice holds at most \(maximumLines)")
        }
        return Plan(
            code: code, currency: currency, charges: charges, baseFee: baseFee, minimum: minimum)
    }
}

extension Charge {
    static func read(_ node: CatalogNode, metrics: Set<String>) -> Charge? {
        let all = ["unit_amount", "tiers", "package_size"]
        guard let fields = node.fields(required: ["metric", "model"], optional: all) else {
            return nil
        }
        let metric = fields["metric"]?.identifier()
        if let metric, !metrics.contains(metric) {
            fields["metric"]?.report("there is no metric '\(metric)'; the catalog must define it")
        }
        guard let name = fields["model"]?.text() else { return nil }
        let needed: [String]
        let model: PricingModel?
        switch name {
        case "per_unit":
            needed = ["unit_amount"]
            model = fields["unit_amount"]?.amount().map { .perUnit(unitAmount: $0) }
        case "graduated", "volume":
            needed = ["tiers"]
            let tiers = fields["tiers"].flatMap(Tier.readAll)
            model = tiers.map { name == "volume" ? .volume($0) : .graduated($0) }
        case "package":
            needed = ["package_size", "unit_amount"]
            let size = fields["package_size"]?.amount()
            if size == .zero { fields["package_size"]?.report("package_size must be above 0") }
            let unitAmount = fields["unit_amount"]?.amount()
            model = size.flatMap { size in
                unitAmount.map { .package(size: size, unitAmount: $0) }
            }
        default:
            fields["model"]?.report(
                "model is per_unit, graduated, volume or package, not '\(name)'")
            return nil
        }
        for field in needed where fields[field] == nil { node.report("\(name) needs \(field)") }
        for field in all where !needed.contains(field) {
            fields[field]?.report("\(name) has no \(field)")
        }
        guard let metric, let model else { return nil }
        return Charge(metric: metric, model: model)
    }
}

extension Tier {
    static func readAll(_ node: CatalogNode) -> [Tier]? {
        let nodes = node.list(nonEmpty: true)
        var tiers: [Tier] = []
        var floor = ExactDecimal.zero
        for (index, tier) in nodes.enumerated() {
            guard
                let fields = tier.fields(
                    required: ["up_to", "unit_amount"], optional: ["flat_amount"])
            else { continue }
            let isLast = index == nodes.count - 1
            let isEndless = ["inf", ".inf"].contains(fields["up_to"]?.text())
            let upTo = isEndless ? nil : fields["up_to"]?.amount()
            if isEndless != isLast {
                fields["up_to"]?.report(
                    isLast
                        ? "the last tier must end at inf, or larger quantities have no price"
                        : "only the last tier may end at inf")
            } else if let upTo {
                if upTo <= floor {
                    fields["up_to"]?.report("up_to must be above \(floor), where the tier begins")
                }
                floor = upTo
            }
            guard let unitAmount = fields["unit_amount"]?.amount() else { continue }
            let flatAmount = fields["flat_amount"].map { $0.amount() ?? .zero } ?? .zero
            tiers.append(Tier(upTo: upTo, unitAmount: unitAmount, flatAmount: flatAmount))
        }
        return tiers.count == nodes.count ? tiers : nil
    }
}
