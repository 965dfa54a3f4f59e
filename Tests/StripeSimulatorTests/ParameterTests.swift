import Testing

@testable import StripeSimulation

/// What is refused before a request is executed.
struct ParameterTests {
    @Test(arguments: [
        // Unknown, at the top and inside.
        ("foo=1", "parameter_unknown", "foo"),
        ("automatic_tax[enabled]=true&automatic_tax[x]=1", "parameter_unknown", "automatic_tax[x]"),
        ("payment_intent=pi_1", "parameter_unknown", "payment_intent"),
        // Of the wrong type.
        ("days_until_due=abc", "parameter_invalid_integer", "days_until_due"),
        ("days_until_due=1.5", "parameter_invalid_integer", "days_until_due"),
        ("due_date=-1", "parameter_invalid_integer", "due_date"),
        ("auto_advance=yes", nil, "auto_advance"),
        ("auto_advance[]=true", nil, "auto_advance"),
        ("metadata=text", nil, "metadata"),
        ("metadata[a][b]=1", nil, "metadata[a]"),
        ("automatic_tax=true", nil, "automatic_tax"),
        ("currency=zzz", nil, "currency"),
        // Not one of the list.
        ("collection_method=mail", nil, "collection_method"),
        ("pending_invoice_items_behavior=maybe", nil, "pending_invoice_items_behavior"),
        // Missing inside of what is given.
        ("automatic_tax[liability]=x", nil, "automatic_tax[liability]"),
        ("metadata[]=1", nil, "metadata"),
        // Too long.
        ("description=" + String(repeating: "x", count: 1_501), nil, "description"),
        ("number=" + String(repeating: "1", count: 27), nil, "number"),
        ("metadata[" + String(repeating: "k", count: 41) + "]=1", nil, "metadata"),
        ("metadata[k]=" + String(repeating: "v", count: 501), nil, "metadata[k]"),
        ((0...50).map { "metadata[k\($0)]=1" }.joined(separator: "&"), nil, "metadata"),
        // Empty, where nothing can be removed.
        ("currency=", "parameter_invalid_empty", "currency"),
        // Known to Stripe, and not to the simulator.
        ("discounts[0][coupon]=c", nil, "discounts"), ("expand[]=payments", nil, "expand"),
    ])
    func `a creation with a wrong parameter is refused and changes nothing`(
        parameters: String, code: String?, parameter: String
    ) throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        let answer = sandbox.post("/v1/invoices", "customer=\(customer)&\(parameters)")
        #expect(answer.status == 400)
        #expect(answer["error"]?["type"]?.text == "invalid_request_error")
        #expect(answer.code == code)
        #expect(answer["error"]?["param"]?.text == parameter)
        #expect(sandbox.count(.invoiceCreated) == 0)
    }

    @Test(arguments: [
        ("", "parameter_missing", "lines"),
        ("lines[0][amount]=x", "parameter_invalid_integer", "lines[0][amount]"),
        ("lines[0][currency]=usd", "parameter_unknown", "lines[0][currency]"),
        ("lines[0][period][start]=1", "parameter_missing", "lines[0][period][end]"),
        (
            "lines[0][amount]=1&lines[1][period][start]=1&lines[1][period][end]=2"
                + "&lines[1][period][length]=1", "parameter_unknown", "lines[1][period][length]"
        ),
        ("lines[a][amount]=1", nil, "lines"),
        ("lines=1", nil, "lines"),
        ("lines[0][description]=none", "parameter_missing", "lines[0][amount]"),
        ("lines[0][amount]=100000000", "amount_too_large", "lines[0][amount]"),
        (
            "lines[0][price_data][unit_amount]=1", "parameter_missing",
            "lines[0][price_data][currency]"
        ),
        (
            "lines[0][price_data][currency]=eur&lines[0][price_data][unit_amount]=1", nil,
            "currency"
        ),
        ("lines[0][unit_amount_decimal]=0.5", "parameter_unknown", "lines[0][unit_amount_decimal]"),
    ])
    func `lines with a wrong parameter are refused, all of them`(
        parameters: String, code: String?, parameter: String
    ) throws {
        let sandbox = try Sandbox()
        let invoice = sandbox.draft()
        let answer = sandbox.post("/v1/invoices/\(invoice)/add_lines", parameters)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(answer["error"]?["param"]?.text == parameter)
        #expect(sandbox.count(.lineAdded) == 1)
    }

    @Test func `an invoice takes 250 lines, and not one more`() throws {
        let sandbox = try Sandbox()
        let invoice = sandbox.draft()
        let lines = (0..<249).map { "lines[\($0)][amount]=\($0)" }.joined(separator: "&")
        #expect(sandbox.post("/v1/invoices/\(invoice)/add_lines", lines).status == 200)
        let path = "/v1/invoices/\(invoice)/add_lines"
        #expect(sandbox.post(path, "lines[0][amount]=1").status == 400)
        #expect(sandbox.post("/v1/invoiceitems", "invoice=\(invoice)&amount=1").status == 400)
        #expect(sandbox.count(.lineAdded) == 250)
    }

    @Test(arguments: [
        ("POST", "/v1/customers", "balance=9223372036854775807"),
        ("POST", "/v1/invoices", "customer=C&due_date=9223372036854775807"),
        ("POST", "/v1/invoices", "customer=C&effective_at=253402300800"),
        ("POST", "/v1/invoiceitems", "customer=C&amount=-9223372036854775808"),
        (
            "POST", "/v1/invoiceitems",
            "customer=C&price_data[currency]=usd&price_data[product]=p"
                + "&price_data[unit_amount]=1000000000000000&quantity=1000000000000000"
        ),
        ("GET", "/v1/invoices", "created[gt]=9223372036854775807"),
        ("GET", "/v1/events", "limit=-9223372036854775808"),
        ("POST", "/_sim/clock", #"{"advance_seconds": 9000000000000000000}"#),
        ("POST", "/_sim/clock", #"{"advance_seconds": 999999999999999}"#),
        ("POST", "/_sim/clock", #"{"to": -999999999999999}"#),
    ])
    func `numbers at the edge are refused`(method: String, path: String, text: String) throws {
        let sandbox = try Sandbox()
        let parameters = text.replacing("customer=C", with: "customer=\(sandbox.customer())")
        #expect(sandbox.send(method, path, parameters).status == 400)
    }

    @Test func `every operation of the table is served`() throws {
        let sandbox = try Sandbox()
        for operation in ParameterTable.stripe.operations {
            let path = operation.path.replacing(/\{\w+\}/, with: "none")
            let answer = sandbox.send(operation.method, path)
            #expect([200, 400, 404].contains(answer.status), "\(operation.name)")
            #expect(answer.code != "parameter_unknown")
        }
        #expect(ParameterTable.stripe.operations.count == 39)
    }

    @Test(arguments: [
        (nil, 401), ("Bearer sk_test_other", 401), ("Basic c2tfdGVzdF9zaW11bGF0b3I6", 200),
        ("Basic !!", 401), ("Bearer", 401), ("Bearer sk_test_simulator", 200),
    ])
    func `a secret key opens, by Bearer and by Basic`(authorization: String?, status: Int) throws {
        let outcome = try Sandbox().simulator.respond(
            to: SimulatedRequest(
                method: "GET", path: "/v1/account", authorization: authorization))
        #expect(outcome.response.status == status)
        #expect(outcome.response["Request-Id"]?.hasPrefix("req_") == true)
    }

    @Test(arguments: [
        ("2026-10-28.endive", 200), ("2025-03-31.basil", 200), ("2024-06-20", 400), ("x", 400),
    ])
    func `versions since basil are served, and named in the answer`(
        version: String, status: Int
    ) throws {
        var request = SimulatedRequest(
            method: "GET", path: "/v1/account", authorization: "Bearer sk_test_simulator")
        request.version = version
        let response = try Sandbox().simulator.respond(to: request).response
        #expect(response.status == status)
        #expect(response["Stripe-Version"] == version)
    }

    @Test func `a path that Stripe does not know is 404`() throws {
        let sandbox = try Sandbox()
        for path in ["/v1/nothing", "/v1/invoices/", "/v1/invoices/in_1/x", "/v2/invoices", "/"] {
            #expect(sandbox.get(path).status == 404, "\(path)")
        }
    }
}

struct FormTests {
    @Test func `nested names, lists and escapes are read`() {
        let form = Form(
            encoded: Array("a=1&l[0][p][s]=2&l[1][p][s]=3&e[]=x&e[]=y+z&m[k%5B]=%C3%A9".utf8))
        #expect(form.integer("a") == 1)
        #expect(form["l"]?.children.map(\.name) == ["0", "1"])
        #expect(form["l"]?["1"]?["p"]?.text("s") == "3")
        #expect(form["e"]?.children.compactMap(\.form.text) == ["x", "y z"])
    }

    @Test func `parameters in another order are the same, other values are not`() {
        let one = Form(encoded: Array("a=1&b[c]=2&b[d]=3".utf8))
        #expect(one.canonical == Form(encoded: Array("b[d]=3&b[c]=2&a=1".utf8)).canonical)
        for other in ["a=1&b[c]=2", "a=1&b[c]=3&b[d]=2", "a=1&b[c]=2&b[d]=", "a=1&b=2&b[d]=3"] {
            #expect(one.canonical != Form(encoded: Array(other.utf8)).canonical, "\(other)")
        }
    }

    @Test func `names of any depth are read without harm`() {
        let name = "a" + String(repeating: "[x]", count: 100_000)
        #expect(Form(encoded: Array("\(name)=1".utf8)).children.count == 1)
    }
}
