internal import Exact
package import Ledger
internal import Usage

/// Everything that is wrong with a customers file.
package struct InvalidCustomers: Error, Sendable, CustomStringConvertible {
    package struct Problem: Sendable, Equatable {
        package let line: Int
        package let message: String
    }

    package let problems: [Problem]

    package var description: String {
        problems.map { "line \($0.line): \($0.message)" }.joined(separator: "\n")
    }
}

/// Reads `customers.csv`. Nothing is taken from a file with a mistake in it.
package enum CustomerFile {
    static let required = ["customer_id", "plan", "currency"]
    static let optional = [
        "stripe_customer_id", "timezone", "collection_method", "days_until_due", "email",
        "active_from", "active_until",
    ]
    static let defaultDaysUntilDue = 30

    /// - Parameter catalog: the newest one: plans must be in it, in the customer's currency. `nil`: none
    ///   is applied yet.
    /// - Throws: `CSVError`, `InvalidCustomers` with every mistake and its line.
    package static func read(_ bytes: [UInt8], catalog: Catalog?) throws -> [Customer] {
        var problems: [InvalidCustomers.Problem] = []
        var customers: [Customer] = []
        var lines: [String: Int] = [:]
        var stripeLines: [String: Int] = [:]
        for row in try CSVReader.rows(in: bytes, required: required, optional: optional) {
            var reader = CustomerRow(row: row)
            let customer = reader.customer(catalog: catalog)
            if let customer {
                reader.refuseRepeated("customer_id", customer.customerID, seen: &lines)
                if let id = customer.stripeCustomerID {
                    reader.refuseRepeated("stripe_customer_id", id, seen: &stripeLines)
                }
                customers.append(customer)
            }
            problems += reader.problems
        }
        guard problems.isEmpty else { throw InvalidCustomers(problems: problems) }
        return customers
    }
}

/// One row under examination.
private struct CustomerRow {
    let row: CSVRow
    private(set) var problems: [InvalidCustomers.Problem] = []

    init(row: CSVRow) {
        self.row = row
    }

    mutating func customer(catalog: Catalog?) -> Customer? {
        let id = value("customer_id") ?? ""
        if !EventRules.isIdentifier(Array(id.utf8)) {
            report("customer_id must be 1 to 128 letters, digits, - _ . :")
        }
        let plan = value("plan") ?? ""
        let code = value("currency") ?? ""
        let currency = Currency(code)
        if currency == nil {
            report(
                "currency '\(code.prefix(40))' is none that Stripe charges; lower case, e.g. usd")
        }
        check(plan: plan, currency, catalog)
        let zone = value("timezone") ?? BillingRun.defaultZone
        if !BillingPeriod.isKnown(zone: zone) { report("\(UnknownTimeZone(zone: zone))") }
        let methodName =
            value("collection_method") ?? Customer.CollectionMethod.sendInvoice.rawValue
        let method = Customer.CollectionMethod(rawValue: methodName)
        if method == nil {
            report(
                "collection_method is send_invoice or charge_automatically, not '\(methodName.prefix(40))'"
            )
        }
        let days = daysUntilDue(method)
        let email = value("email")
        if let email, !email.contains("@") { report("email has no @") }
        let from = date("active_from")
        let until = date("active_until")
        if let from, let until, until <= from { report("active_until must be after active_from") }
        guard problems.isEmpty, let currency, let method else { return nil }
        return Customer(
            customerID: id, stripeCustomerID: value("stripe_customer_id"), plan: plan,
            currency: currency, timezone: zone, collectionMethod: method, daysUntilDue: days,
            email: email, activeFrom: from, activeUntil: until)
    }

    mutating func refuseRepeated(_ column: String, _ text: String, seen: inout [String: Int]) {
        if let first = seen[text] { report("\(column) '\(text)' stands in line \(first) already") }
        seen[text] = seen[text] ?? row.lineNumber
    }

    private mutating func check(plan: String, _ currency: Currency?, _ catalog: Catalog?) {
        guard !plan.isEmpty else { return report("plan is empty") }
        guard let catalog, let currency else { return }
        guard let known = catalog.plan(plan) else {
            let plans = catalog.plans.map(\.code).joined(separator: ", ")
            return report(
                "plan '\(plan.prefix(40))' is not in catalog \(catalog.version), which has \(plans)"
            )
        }
        if known.currency != currency {
            report("plan \(plan) is in \(known.currency), the customer's currency is \(currency)")
        }
    }

    private mutating func daysUntilDue(_ method: Customer.CollectionMethod?) -> Int? {
        guard let text = value("days_until_due") else {
            return method == .sendInvoice ? CustomerFile.defaultDaysUntilDue : nil
        }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let days = Int(text),
            days <= 3650
        else {
            report("days_until_due is a whole number from 0 to 3650, not '\(text.prefix(40))'")
            return nil
        }
        if method == .chargeAutomatically {
            report("days_until_due goes with send_invoice only; leave it empty")
        }
        return days
    }

    private mutating func date(_ column: String) -> CivilDate? {
        guard let text = value(column) else { return nil }
        let date = CivilDate(text)
        if date == nil {
            report("\(column) '\(text.prefix(40))' is no date; write it as 2026-10-01")
        }
        return date
    }

    private func value(_ column: String) -> String? {
        row[column].flatMap { $0.isEmpty ? nil : $0 }
    }

    private mutating func report(_ message: String) {
        problems.append(.init(line: row.lineNumber, message: message))
    }
}
