import Billing
import Testing

/// Each mistake changes one line of a good catalog; all are reported with the line and what is wrong.
struct CatalogMistakeTests {
    static let good = """
        version: "2026-10"
        effective_from: 2026-10-01
        metrics:
          - code: calls
            event_type: request
            aggregation: count
            where: {status: {gte: 200, lt: 300}}
            unit: call
          - code: bytes
            event_type: request
            aggregation: sum
            property: size
            unit: byte
        plans:
          - code: standard
            currency: usd
            base_fee: "10"
            charges:
              - metric: calls
                model: graduated
                tiers:
                  - {up_to: 10, unit_amount: "1"}
                  - {up_to: 20, unit_amount: "0.7"}
                  - {up_to: inf, unit_amount: "0.5"}
              - {metric: bytes, model: package, package_size: 1000, unit_amount: "0.1"}
        """

    /// - Returns: the problems of the good catalog with line `number` replaced.
    private func problems(line number: Int, _ text: String) throws -> [InvalidCatalog.Problem] {
        var lines = Self.good.split(separator: "\n", omittingEmptySubsequences: false)
        lines[number - 1] = Substring(text)
        return problems(of: lines.joined(separator: "\n"))
    }

    private func problems(of yaml: String) -> [InvalidCatalog.Problem] {
        do {
            _ = try Catalog(yaml: yaml)
            return []
        } catch {
            return error.problems
        }
    }

    private func expectOne(
        _ problems: [InvalidCatalog.Problem], line: Int, _ piece: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(problems.count == 1, "\(problems)", sourceLocation: location)
        #expect(problems.first?.line == line, "\(problems)", sourceLocation: location)
        #expect(
            problems.first?.message.contains(piece) == true, "\(problems)", sourceLocation: location
        )
    }

    @Test func `the good catalog has no problem`() {
        #expect(problems(of: Self.good).isEmpty)
    }

    // MARK: The head

    @Test(arguments: [
        (1, "version: two words", "'two words' may have letters, digits"),
        (1, "version: \"\"", "catalog.version: expected a value"),
        (1, "version: [1]", "catalog.version: expected a value"),
        (2, "effective_from: 2026-02-29", "'2026-02-29' is no date"),
        (2, "effective_from: 1 October 2026", "is no date"),
        (2, "effective_from: 2026-10-01T00:00:00Z", "is no date"),
    ])
    func `a bad head is refused`(line: Int, text: String, piece: String) throws {
        expectOne(try problems(line: line, text), line: line, piece)
    }

    @Test(arguments: [
        (1, 2, "catalog: version is missing"), (2, 1, "catalog: effective_from is missing"),
        (4, 5, "catalog.metrics[0]: code is missing"),
        (5, 4, "catalog.metrics[0]: event_type is missing"),
        (6, 4, "catalog.metrics[0]: aggregation is missing"),
        (8, 4, "catalog.metrics[0]: unit is missing"),
        (12, 9, "catalog.metrics[1]: sum needs the property"),
        (16, 15, "catalog.plans[0]: currency is missing"),
        (20, 19, "catalog.plans[0].charges[0]: model is missing"),
    ])
    func `a missing key is named, with the line where its owner begins`(
        line: Int, reported: Int, piece: String
    ) throws {
        // Line 4 also opens the item.
        let problems = try problems(line: line, line == 4 ? "  -" : "    # was here")
        #expect(
            problems.contains { $0.line == reported && $0.message.hasPrefix(piece) }, "\(problems)")
    }

    @Test(arguments: [
        (
            2, "effective_form: 2026-10-01", 2,
            "catalog.effective_form: nothing is known by this name"
        ),
        (8, "    units: call", 8, "catalog.metrics[0].units: nothing is known by this name"),
        (17, "    base_fees: \"10\"", 17, "known: code, currency, charges, base_fee, minimum"),
        (22, "          - {upto: 10, unit_amount: \"1\"}", 22, "tiers[0].upto: nothing is known"),
    ])
    func `an unknown key is refused with the known ones`(
        line: Int, text: String, reported: Int, piece: String
    ) throws {
        let problems = try problems(line: line, text)
        #expect(
            problems.contains { $0.line == reported && $0.message.contains(piece) }, "\(problems)")
    }

    // MARK: Metrics

    @Test(arguments: [
        (4, "  - code: a/b", "'a/b' may have letters, digits"),
        (4, "  - code: bytes", "there is more than one metric 'bytes'"),
        (6, "    aggregation: avg", "'avg' is none of count, sum, max, unique_count, latest"),
        (6, "    aggregation: Count", "'Count' is none of"),
        (8, "    unit:", "expected a value"), (11, "    aggregation: count", "remove property"),
        (12, "    property: ''", "expected a value"), (5, "    event_type: a b", "'a b' may have"),
        (7, "    where: status", "expected names with values"),
        (7, "    where: [status]", "expected names with values"),
    ])
    func `a bad metric is refused`(line: Int, text: String, piece: String) throws {
        let problems = try problems(line: line, text)
        #expect(problems.contains { $0.message.contains(piece) }, "\(problems)")
    }

    @Test(arguments: [
        ("{eq: 1, in: [1]}", "a condition is a value, or one of eq and in"),
        ("{eq: 1, gte: 1}", "a condition is a value, or one of eq and in"),
        ("{in: [1], lt: 5}", "a condition is a value, or one of eq and in"),
        ("{missing: pass}", "a condition is a value, or one of eq and in"),
        ("{}", "a condition is a value, or one of eq and in"),
        ("{eq: 1, missing: maybe}", "missing is pass or fail, not 'maybe'"),
        ("{gte: 1, missing: true}", "missing is pass or fail, not 'true'"),
        ("{in: []}", "expected a list with at least one item"),
        ("{in: 1}", "expected a list with at least one item"), ("{in: [[1]]}", "expected a value"),
        ("{eq: [1]}", "expected a value"), ("[1, 2]", "expected a value"), ("", "expected a value"),
        ("{gte: ten}", "'ten' is no plain decimal number"),
        ("{gte: 1e3}", "'1e3' is no plain decimal number"),
        ("{ge: 1}", "nothing is known by this name; known: gte, gt, lte, lt, eq, in, missing"),
    ])
    func `a bad condition is refused`(condition: String, piece: String) throws {
        let problems = try problems(line: 7, "    where: {status: \(condition)}")
        #expect(problems.allSatisfy { $0.line == 7 }, "\(problems)")
        #expect(problems.contains { $0.message.contains(piece) }, "\(problems)")
    }

    // MARK: Plans and charges

    @Test(arguments: [
        (16, "    currency: USD", "'USD' is no currency that Stripe charges"),
        (16, "    currency: dollar", "'dollar' is no currency"),
        (17, "    base_fee: -10", "-10 is negative"),
        (17, "    minimum: \"-0.01\"", "-0.01 is negative"),
        (17, "    base_fee: 1e3", "'1e3' is no plain decimal number"),
        (17, "    base_fee: $10", "'$10' is no plain decimal number"),
        (17, "    base_fee: 0x10", "'0x10' is no plain decimal number"),
        (17, "    base_fee: +1", "'+1' is no plain decimal number"),
        (17, "    base_fee: 1,000", "'1,000' is no plain decimal number"),
        (17, "    base_fee: 0.0000000000000000000000000000001", "is no plain decimal number"),
        (17, "    base_fee: ~", "expected a value"),
        (19, "      - metric: call", "there is no metric 'call'"),
        (
            20, "        model: tiered",
            "model is per_unit, graduated, volume or package, not 'tiered'"
        ),
    ])
    func `a bad plan is refused`(line: Int, text: String, piece: String) throws {
        expectOne(try problems(line: line, text), line: line, piece)
    }

    @Test(arguments: [
        ("model: package, package_size: 0, unit_amount: 1", "package_size must be above 0"),
        ("model: package, package_size: -5, unit_amount: 1", "-5 is negative"),
        ("model: package, unit_amount: 1", "package needs package_size"),
        ("model: package, package_size: 5", "package needs unit_amount"),
        ("model: per_unit", "per_unit needs unit_amount"),
        ("model: per_unit, unit_amount: 1e-5", "'1e-5' is no plain decimal number"),
        ("model: per_unit, unit_amount: -1", "-1 is negative"),
        (
            "model: per_unit, unit_amount: 1, tiers: [{up_to: inf, unit_amount: 1}]",
            "per_unit has no tiers"
        ),
        ("model: per_unit, unit_amount: 1, package_size: 5", "per_unit has no package_size"),
        ("model: volume", "volume needs tiers"),
        ("model: volume, tiers: []", "expected a list with at least one item"),
        ("model: volume, tiers: [{up_to: inf, unit_amount: 1}], unit_amount: 1", "no unit_amount"),
    ])
    func `a charge has what its model needs, and nothing else`(
        charge: String, piece: String
    ) throws {
        expectOne(try problems(line: 25, "      - {metric: bytes, \(charge)}"), line: 25, piece)
    }

    @Test(arguments: [
        (22, "{up_to: inf, unit_amount: 1}", "only the last tier may end at inf"),
        (22, "{up_to: 0, unit_amount: 1}", "up_to must be above 0, where the tier begins"),
        (22, "{up_to: -1, unit_amount: 1}", "-1 is negative"),
        (23, "{up_to: 10, unit_amount: 1}", "up_to must be above 10, where the tier begins"),
        (23, "{up_to: 9.999, unit_amount: 1}", "up_to must be above 10, where the tier begins"),
        (23, "{up_to: 1e2, unit_amount: 1}", "'1e2' is no plain decimal number"),
        (23, "{up_to: 20, unit_amount: -1}", "-1 is negative"),
        (23, "{up_to: 20, unit_amount: 1, flat_amount: -2}", "-2 is negative"),
        (23, "{up_to: 20, unit_amount: 1, flat_amount: x}", "'x' is no plain decimal number"),
        (23, "{unit_amount: 1}", "up_to is missing"), (23, "{up_to: 20}", "unit_amount is missing"),
        (23, "20", "expected up_to, unit_amount"),
        (24, "{up_to: 30, unit_amount: 1}", "the last tier must end at inf"),
    ])
    func `a bad tier is refused`(line: Int, tier: String, piece: String) throws {
        expectOne(try problems(line: line, "          - \(tier)"), line: line, piece)
    }

    @Test func `a plan or charge that is there twice is refused`() {
        let plan = "\n  - {code: standard, currency: eur, charges: []}"
        expectOne(problems(of: Self.good + plan), line: 26, "more than one plan 'standard'")
        let charge = "\n      - {metric: calls, model: per_unit, unit_amount: 1}"
        expectOne(
            problems(of: Self.good + charge), line: 26,
            "more than one charge for the metric 'calls'")
    }

    @Test(arguments: [(198, 0), (199, 1)])
    func `an invoice of more than 200 lines is refused`(charges: Int, count: Int) {
        let metrics = (1...charges).map {
            "  - {code: m\($0), event_type: e, aggregation: count, unit: u}"
        }
        let items = (1...charges).map {
            "      - {metric: m\($0), model: per_unit, unit_amount: 1}"
        }
        let head = ["version: v1", "effective_from: 2026-10-01", "metrics:"]
        let plan = [
            "plans:", "  - code: p", "    currency: usd", "    base_fee: 1", "    minimum: 1",
            "    charges:",
        ]
        let problems = problems(of: (head + metrics + plan + items).joined(separator: "\n"))
        #expect(problems.count == count)
        #expect(
            problems.allSatisfy { $0.message.contains("201 lines; an invoice holds at most 200") })
        #expect(problems.allSatisfy { $0.line == 3 + charges + 2 })
    }

    // MARK: The file

    @Test(arguments: ["", "\n\n", "# only a comment\n"])
    func `an empty file is refused`(yaml: String) {
        expectOne(problems(of: yaml), line: 1, "the file is empty")
    }

    @Test(arguments: ["just text", "[1, 2]", "42", "~"])
    func `a file that is no mapping is refused`(yaml: String) {
        expectOne(problems(of: yaml), line: 1, "expected version, effective_from, metrics, plans")
    }

    @Test(arguments: [
        (3, "metrics: [", 4), (5, "    event_type: 'request", 5), (5, "\tevent_type: request", 5),
        (15, "  - code: *unknown", 15), (8, "     unit: call", 8),
    ])
    func `broken YAML is refused with its line`(line: Int, text: String, reported: Int) throws {
        let problems = try problems(line: line, text)
        #expect(problems.count == 1)
        #expect(problems[0].message.hasPrefix("no YAML"))
        #expect(problems[0].line == reported, "\(problems)")
    }

    @Test(arguments: [(2, "version: v2", "'version'", 1), (13, "    code: again", "'code'", 9)])
    func `a key that is there twice is named, with the line of the first`(
        line: Int, text: String, key: String, reported: Int
    ) throws {
        expectOne(try problems(line: line, text), line: reported, key)
    }

    @Test func `what is wrong is said without repeating the file`() throws {
        let problems = try problems(line: 13, "    code: again")
        #expect(problems.allSatisfy { !$0.message.contains("effective_from") }, "\(problems)")
    }

    @Test func `several mistakes are all reported, in one go`() throws {
        var lines = Self.good.split(separator: "\n").map(String.init)
        lines[1] = "effective_from: soon"
        lines[5] = "    aggregation: avg"
        lines[15] = "    currency: USD"
        lines[16] = "    base_fee: -1"
        lines[22] = "          - {up_to: 5, unit_amount: x}"
        lines[24] = "      - {metric: bites, model: package, package_size: 0, unit_amount: 1}"
        let problems = problems(of: lines.joined(separator: "\n"))
        #expect(problems.map(\.line).sorted() == [2, 6, 16, 17, 23, 23, 25, 25])
        #expect(
            problems.map(\.description).joined(separator: "\n").split(separator: "\n").count == 8)
    }
}
