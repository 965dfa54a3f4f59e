import StripeSimulation
import Testing

/// From a draft to its end, and what is refused on the way.
struct TransitionTests {
    /// An invoice that is brought into a state.
    private func invoice(_ sandbox: Sandbox, _ status: String) -> String {
        let mailed = "&collection_method=send_invoice&days_until_due=30"
        let id = sandbox.draft(nil, mailed)
        if status == "draft" { return id }
        sandbox.post("/v1/invoices/\(id)/finalize")
        switch status {
        case "paid": sandbox.post("/v1/invoices/\(id)/pay")
        case "void": sandbox.post("/v1/invoices/\(id)/void")
        case "uncollectible": sandbox.post("/v1/invoices/\(id)/mark_uncollectible")
        default: break
        }
        return id
    }

    @Test(arguments: [
        ("draft", ["finalize": "open", "send": "open"]),
        (
            "open",
            ["send": "open", "pay": "paid", "void": "void", "mark_uncollectible": "uncollectible"]
        ),
        ("paid", [:]), ("void", [:]),
        ("uncollectible", ["pay": "paid", "void": "void"]),
    ])
    func `every state lets through its own transitions, and no other`(
        from: String, allowed: [String: String]
    ) throws {
        for action in ["finalize", "send", "pay", "void", "mark_uncollectible"] {
            let sandbox = try Sandbox()
            let id = invoice(sandbox, from)
            try #require(sandbox.status(id) == from)
            let answer = sandbox.post("/v1/invoices/\(id)/\(action)")
            #expect(answer.status == (allowed[action] == nil ? 400 : 200), "\(from) \(action)")
            #expect(sandbox.status(id) == allowed[action] ?? from, "\(from) \(action)")
        }
    }

    @Test(arguments: ["open", "paid", "void", "uncollectible"])
    func `what was finalized is not edited`(status: String) throws {
        let sandbox = try Sandbox()
        let id = invoice(sandbox, status)
        let path = "/v1/invoices/\(id)"
        #expect(
            sandbox.post(path + "/add_lines", "lines[0][amount]=1").code == "invoice_not_editable")
        let item = sandbox.post("/v1/invoiceitems", "invoice=\(id)&amount=1")
        #expect(item.code == "invoice_not_editable")
        #expect(sandbox.post(path, "description=x").code == "invoice_not_editable")
        #expect(sandbox.send("DELETE", path).status == 400)
        #expect(sandbox.post(path, "metadata[a]=1")["metadata"]?["a"]?.text == "1")
        #expect(sandbox.get(path)["total"]?.integer == 2_000)
    }

    @Test func `only drafts can be deleted, and nothing remains of them`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.draft()
        #expect(sandbox.send("DELETE", "/v1/invoices/\(id)")["deleted"]?.bool == true)
        #expect(sandbox.get("/v1/invoices/\(id)").code == "resource_missing")
        #expect(sandbox.post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=1").status == 404)
        #expect(sandbox.get("/v1/invoices").ids.isEmpty)
        #expect(sandbox.get("/v1/invoiceitems").ids.isEmpty)
        #expect(sandbox.events().last == "invoice.deleted")
    }

    @Test(arguments: [
        ("", "invoice_no_customer_line_items"),
        ("&automatic_tax[enabled]=true", "customer_tax_location_invalid"),
    ])
    func `an invoice that cannot be finalized stays a draft`(
        parameters: String, code: String
    ) throws {
        let sandbox = try Sandbox()
        let id = sandbox.post("/v1/invoices", "customer=\(sandbox.customer())\(parameters)").id
        if !parameters.isEmpty {
            sandbox.post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=2000")
        }
        #expect(sandbox.post("/v1/invoices/\(id)/finalize").code == code)
        #expect(sandbox.status(id) == "draft")
        #expect(sandbox.count(.finalized) == 0)
        #expect(sandbox.events().contains("invoice.finalization_failed") == !parameters.isEmpty)
    }

    @Test(arguments: [
        ("customer=cus_none", 400, "resource_missing"),
        ("", 400, "parameter_missing"),
        ("customer=CUSTOMER&days_until_due=30", 400, nil),
        ("customer=CUSTOMER&collection_method=send_invoice", 400, nil),
        ("customer=CUSTOMER&collection_method=send_invoice&days_until_due=30", 200, nil),
        ("customer=CUSTOMER&collection_method=send_invoice&due_date=1", 400, nil),
        ("customer=CUSTOMER&automatically_finalizes_at=1895000000", 400, nil),
        ("customer=CUSTOMER&currency=EUR", 200, nil),
        ("customer=DELETED", 400, "resource_missing"),
        ("customer=SILENT&collection_method=send_invoice&days_until_due=30", 400, nil),
        ("customer=SILENT", 200, nil),
        ("customer=PENDING&currency=eur", 400, nil),
    ])
    func `an invoice is created for a customer and terms that fit`(
        parameters: String, status: Int, code: String?
    ) throws {
        let sandbox = try Sandbox()
        let (deleted, pending) = (sandbox.customer(), sandbox.customer())
        sandbox.send("DELETE", "/v1/customers/\(deleted)")
        sandbox.post("/v1/invoiceitems", "customer=\(pending)&amount=5&currency=usd")
        let answer = sandbox.post(
            "/v1/invoices",
            parameters.replacing("CUSTOMER", with: sandbox.customer())
                .replacing("DELETED", with: deleted).replacing("PENDING", with: pending)
                .replacing("SILENT", with: sandbox.customer("name=x")))
        #expect(answer.status == status)
        #expect(answer.code == code)
        if status == 200 { #expect(answer["status"]?.text == "draft") }
    }

    @Test func `a draft of a deleted customer is neither edited nor finalized, only deleted`()
        throws
    {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        let id = sandbox.draft(customer)
        sandbox.send("DELETE", "/v1/customers/\(customer)")
        #expect(sandbox.get("/v1/customers/\(customer)")["deleted"]?.bool == true)
        #expect(sandbox.post("/v1/invoices/\(id)/finalize").code == "resource_missing")
        let lines = sandbox.post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=1")
        #expect(lines.code == "resource_missing")
        #expect(sandbox.send("DELETE", "/v1/invoices/\(id)").status == 200)
    }

    @Test func `sending a draft finalizes it, and a second mail is counted`() throws {
        let sandbox = try Sandbox()
        let id = invoice(sandbox, "draft")
        let path = "/v1/invoices/\(id)/send"
        #expect(sandbox.post(path)["status"]?.text == "open")
        #expect(sandbox.post(path).status == 200)
        #expect(sandbox.count(.sent) == 2)
        #expect(sandbox.count(.finalized) == 1)
        #expect(sandbox.post("/v1/invoices/\(sandbox.open())/send").status == 400)
    }

    @Test(arguments: [
        ("lines[0][amount]=0", 0, 0), ("lines[0][amount]=49", 0, 49),
        ("lines[0][amount]=-300", 0, -300), ("lines[0][amount]=50", 50, 0),
    ])
    func `what is too small to be charged is paid at once, and goes to the balance`(
        lines: String, due: Int, balance: Int
    ) throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        let id = sandbox.post("/v1/invoices", "customer=\(customer)").id
        sandbox.post("/v1/invoices/\(id)/add_lines", lines)
        let answer = sandbox.post("/v1/invoices/\(id)/finalize", "auto_advance=false")
        #expect(answer["status"]?.text == (due == 0 ? "paid" : "open"))
        #expect(answer["amount_due"]?.integer == due)
        #expect(sandbox.get("/v1/customers/\(customer)")["balance"]?.integer == balance)
        #expect(sandbox.count(.charged) == 0)
    }

    @Test func `a balance pays first, and comes back when the invoice is voided`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer("email=a@example.com&balance=-500")
        let id = sandbox.open(customer)
        let invoice = sandbox.get("/v1/invoices/\(id)")
        #expect(invoice["amount_due"]?.integer == 1_500)
        #expect(invoice["starting_balance"]?.integer == -500)
        #expect(sandbox.get("/v1/customers/\(customer)")["balance"]?.integer == 0)
        sandbox.post("/v1/invoices/\(id)/void")
        #expect(sandbox.get("/v1/customers/\(customer)")["balance"]?.integer == -500)
    }

    @Test func `tax is added where it is asked for`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer("email=a@example.com&address[country]=DE")
        sandbox.control("POST", "/_sim/customers/\(customer)", #"{"tax_percent": 19}"#)
        let id = sandbox.open(customer, "&automatic_tax[enabled]=true")
        let invoice = sandbox.get("/v1/invoices/\(id)")
        #expect(invoice["total"]?.integer == 2_380)
        #expect(invoice["subtotal_excluding_tax"]?.integer == 2_000)
        #expect(invoice["total_excluding_tax"]?.integer == 2_000)
    }

    @Test func `pending items join an invoice only where that is asked for`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        sandbox.post("/v1/invoiceitems", "customer=\(customer)&amount=700&currency=usd")
        let empty = sandbox.post("/v1/invoices", "customer=\(customer)")
        #expect(empty["total"]?.integer == 0)
        let parameters = "customer=\(customer)&pending_invoice_items_behavior=include"
        #expect(sandbox.post("/v1/invoices", parameters)["total"]?.integer == 700)
        #expect(sandbox.post("/v1/invoices", parameters)["total"]?.integer == 0)
    }

    @Test func `credit notes lower what is due, and can be voided`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        let id = sandbox.open(customer)
        let note = sandbox.post("/v1/credit_notes", "invoice=\(id)&amount=500")
        #expect(sandbox.get("/v1/invoices/\(id)")["amount_remaining"]?.integer == 1_500)
        #expect(sandbox.post("/v1/credit_notes", "invoice=\(id)&amount=1501").status == 400)
        #expect(sandbox.post("/v1/credit_notes/\(note.id)/void")["status"]?.text == "void")
        sandbox.post("/v1/invoices/\(id)/pay")
        #expect(sandbox.post("/v1/credit_notes", "invoice=\(id)&amount=300").status == 400)
        sandbox.post("/v1/credit_notes", "invoice=\(id)&amount=300&credit_amount=300")
        #expect(sandbox.get("/v1/customers/\(customer)")["balance"]?.integer == -300)
        #expect(sandbox.get("/v1/credit_notes", "invoice=\(id)").ids.count == 2)
    }
}
