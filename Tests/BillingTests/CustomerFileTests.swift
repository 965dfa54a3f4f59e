import Exact
import Ledger
import Testing
import Usage

@testable import Billing

struct CustomerFileTests {
    private static let header =
        "customer_id,stripe_customer_id,plan,currency,timezone,collection_method,days_until_due,"
        + "email,active_from,active_until"

    private static func read(_ rows: String...) throws -> [Customer] {
        try CustomerFile.read(
            Array(([header] + rows).joined(separator: "\n").utf8),
            catalog: try Catalog(yaml: sampleCatalog))
    }

    private static func problems(_ rows: [String]) -> [InvalidCustomers.Problem] {
        do {
            let text = ([header] + rows).joined(separator: "\n")
            _ = try CustomerFile.read(
                Array(text.utf8), catalog: try Catalog(yaml: sampleCatalog))
            return []
        } catch let error as InvalidCustomers {
            return error.problems
        } catch {
            return [.init(line: 0, message: "\(error)")]
        }
    }

    // MARK: Good files

    @Test func `a full row is read to the last column`() throws {
        let customers = try Self.read(
            "acme,cus_1,standard,usd,Asia/Kolkata,send_invoice,14,pay@acme.example,2026-01-01,"
                + "2026-12-31")
        #expect(
            customers == [
                customer {
                    $0.timezone = "Asia/Kolkata"
                    $0.daysUntilDue = 14
                    $0.email = "pay@acme.example"
                    $0.activeFrom = CivilDate("2026-01-01")
                    $0.activeUntil = CivilDate("2026-12-31")
                }
            ])
    }

    @Test func `empty columns mean UTC, an invoice by mail and thirty days`() throws {
        let plain = customer {
            $0.stripeCustomerID = nil
            $0.email = nil
        }
        #expect(try Self.read("acme,,standard,usd,,,,,,") == [plain])
        let short = Array("plan,currency,customer_id\nstandard,usd,acme\n".utf8)
        #expect(try CustomerFile.read(short, catalog: nil) == [plain])
    }

    @Test func `a customer whose card is charged has no days until due`() throws {
        let customers = try Self.read("acme,cus_1,standard,usd,,charge_automatically,,,,")
        #expect(customers.map(\.collectionMethod) == [.chargeAutomatically])
        #expect(customers.map(\.daysUntilDue) == [nil])
    }

    @Test func `quoted fields are what is between the quotes`() throws {
        let customers = try Self.read(
            "\"acme\",\"cus_1\",\"standard\",\"usd\",,,,\"\"\"Pay, now\"\" <a@b.example>\",,",
            "b,,standard,usd,,,,\"two\nlines@b.example\",,", "c,,standard,usd,,,0,,,")
        #expect(
            customers.map(\.email) == ["\"Pay, now\" <a@b.example>", "two\nlines@b.example", nil])
        #expect(customers.map(\.customerID) == ["acme", "b", "c"])
        #expect(customers.map(\.daysUntilDue) == [30, 30, 0])
    }

    @Test func `several customers keep their order, and may share all but their ids`() throws {
        let customers = try Self.read(
            "b,,standard,usd,,,,x@y.example,,", "a,,standard,usd,,,,x@y.example,,")
        #expect(customers.map(\.customerID) == ["b", "a"])
    }

    @Test func `a header alone is no customer`() throws {
        #expect(try Self.read().isEmpty)
    }

    @Test func `without a catalog any plan is taken`() throws {
        let file = Array("customer_id,plan,currency\na,gold,jpy\n".utf8)
        #expect(try CustomerFile.read(file, catalog: nil).map(\.plan) == ["gold"])
    }

    // MARK: Mistakes

    @Test(arguments: [
        (",,standard,usd,,,,,,", "customer_id must be 1 to 128 letters"),
        ("a b,,standard,usd,,,,,,", "customer_id must be 1 to 128 letters"),
        ("jürgen,,standard,usd,,,,,,", "customer_id must be 1 to 128 letters"),
        (
            "\(String(repeating: "x", count: 129)),,standard,usd,,,,,,",
            "customer_id must be 1 to 128"
        ),
        ("a,,,usd,,,,,,", "plan is empty"),
        ("a,,gold,usd,,,,,,", "plan 'gold' is not in catalog 2015-01, which has standard"),
        ("a,,standard,eur,,,,,,", "plan standard is in usd, the customer's currency is eur"),
        ("a,,standard,USD,,,,,,", "currency 'USD' is none that Stripe charges"),
        ("a,,standard,,,,,,,", "currency '' is none that Stripe charges"),
        ("a,,standard,usd,Kolkata,,,,,", "'Kolkata' is no time zone of the tz database"),
        ("a,,standard,usd,+05:30,,,,,", "'+05:30' is no time zone"),
        ("a,,standard,usd,,by_hand,,,,", "send_invoice or charge_automatically, not 'by_hand'"),
        ("a,,standard,usd,,,soon,,,", "days_until_due is a whole number from 0 to 3650"),
        ("a,,standard,usd,,,-1,,,", "days_until_due is a whole number from 0 to 3650"),
        ("a,,standard,usd,,,3651,,,", "days_until_due is a whole number from 0 to 3650"),
        ("a,,standard,usd,,,1.5,,,", "days_until_due is a whole number from 0 to 3650"),
        (
            "a,,standard,usd,,charge_automatically,7,,,",
            "days_until_due goes with send_invoice only"
        ),
        ("a,,standard,usd,,,,nobody,,", "email has no @"),
        ("a,,standard,usd,,,,,2026-02-30,", "active_from '2026-02-30' is no date"),
        ("a,,standard,usd,,,,,,soon", "active_until 'soon' is no date"),
        ("a,,standard,usd,,,,,2026-02-01,2026-02-01", "active_until must be after active_from"),
        ("a,,standard,usd,,,,,2026-02-01,2026-01-31", "active_until must be after active_from"),
    ])
    func `a mistake is reported with its line`(row: String, piece: String) {
        let problems = Self.problems(["x,,standard,usd,,,,\"o\nk@x\",,", row])
        #expect(problems.count == 1, "\(problems)")
        // The row before spans the lines 2 and 3.
        #expect(problems.first?.line == 4)
        #expect(problems.first?.message.contains(piece) == true, "\(problems)")
    }

    @Test(arguments: ["+7", "-0", "٧"])
    func `days until due are plain digits`(days: String) {
        #expect(Self.problems(["a,,standard,usd,,,\(days),,,"]).count == 1)
    }

    @Test func `an id that is there again is refused with the line of the first`() {
        let rows = [
            "a,cus_1,standard,usd,,,,,,", "b,cus_2,standard,usd,,,,,,",
            "a,cus_3,standard,usd,,,,,,", "c,cus_2,standard,usd,,,,,,",
            "A,,standard,usd,,,,,,", "d,,standard,usd,,,,,,", "a,,standard,usd,,,,,,",
        ]
        #expect(
            Self.problems(rows) == [
                .init(line: 4, message: "customer_id 'a' stands in line 2 already"),
                .init(line: 5, message: "stripe_customer_id 'cus_2' stands in line 3 already"),
                .init(line: 8, message: "customer_id 'a' stands in line 2 already"),
            ])
    }

    @Test func `all mistakes of all rows are reported, and nothing is taken`() {
        let problems = Self.problems([
            "a b,,,xyz,Nowhere,by_hand,soon,nobody,x,y", "ok,,standard,usd,,,,,,",
            "c,,gold,usd,,,,,,",
        ])
        #expect(problems.map(\.line) == Array(repeating: 2, count: 9) + [4])
    }

    @Test(arguments: [
        ("", "line 1"), ("customer_id,plan\n", "currency"),
        ("customer_id,plan,currency,vip\n", "vip"),
        ("customer_id,plan,currency\na,b\n", "line 2"),
        ("customer_id,plan,currency\n\"a,b,c\n", "line 2"),
    ])
    func `a file of another shape is refused`(text: String, piece: String) throws {
        let error = #expect(throws: CSVError.self) {
            try CustomerFile.read(Array(text.utf8), catalog: nil)
        }
        #expect(error?.description.contains(piece) == true)
    }
}
