import StripeSimulation
import Testing

struct PaginationTests {
    /// Seven invoices, one a second, oldest first; the third was deleted.
    private func sandbox() throws -> (Sandbox, customer: String, ids: [String]) {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        var ids: [String] = []
        for _ in 0..<8 {
            ids.append(sandbox.draft(customer))
            sandbox.simulator.advance(seconds: 1)
        }
        sandbox.send("DELETE", "/v1/invoices/\(ids.remove(at: 2))")
        _ = sandbox.draft()
        return (sandbox, customer, ids)
    }

    @Test(arguments: 1...9)
    func `pages of any size give every invoice once, newest first`(limit: Int) throws {
        let (sandbox, customer, ids) = try sandbox()
        var found: [String] = []
        while true {
            let cursor = found.last.map { "&starting_after=\($0)" } ?? ""
            let page = sandbox.get(
                "/v1/invoices", "customer=\(customer)&limit=\(limit)\(cursor)")
            #expect(page.ids.count <= limit)
            found += page.ids
            guard page["has_more"]?.bool == true else { break }
            try #require(!page.ids.isEmpty)
        }
        #expect(found == ids.reversed())
    }

    @Test(arguments: [
        ("ending_before=3&limit=2", [5, 4], true), ("ending_before=3&limit=3", [6, 5, 4], false),
        ("ending_before=6", [], false), ("starting_after=2&limit=2", [1, 0], false),
        ("starting_after=2&limit=1", [1], true), ("starting_after=0", [], false),
    ])
    func `cursors lead in both directions`(
        query: String, positions: [Int], hasMore: Bool
    ) throws {
        let (sandbox, customer, ids) = try sandbox()
        var query = query
        for (position, id) in ids.enumerated() {
            query = query.replacing("before=\(position)", with: "before=\(id)")
                .replacing("after=\(position)", with: "after=\(id)")
        }
        let page = sandbox.get("/v1/invoices", "customer=\(customer)&\(query)")
        #expect(page.ids == positions.map { ids[$0] })
        #expect(page["has_more"]?.bool == hasMore)
    }

    @Test(arguments: [
        ("created[gte]=5", [6, 5, 4]), ("created[gt]=5", [6, 5]), ("created[lt]=1", [0]),
        ("created[lte]=1&created[gte]=1", [1]), ("created=4", [3]), ("created[gte]=9", []),
        ("status=open", [1]), ("status=draft&limit=2", [6, 5]),
        ("collection_method=send_invoice", []),
    ])
    func `filters narrow a list`(query: String, positions: [Int]) throws {
        let (sandbox, customer, ids) = try sandbox()
        sandbox.post("/v1/invoices/\(ids[1])/finalize")
        var query = query
        for second in 0...9 {
            let time = Sandbox.start / 1_000 + second
            query = query.replacing(/(created[^=]*)=(\d)(?!\d)/) { match in
                Int(match.output.2) == second ? "\(match.output.1)=\(time)" : "\(match.output.0)"
            }
        }
        let page = sandbox.get("/v1/invoices", "customer=\(customer)&\(query)")
        #expect(page.ids == positions.map { ids[$0] })
    }

    @Test(arguments: ["limit=0", "limit=101", "limit=x", "starting_after=in_none", "foo=1"])
    func `what is no page is refused`(query: String) throws {
        #expect(try Sandbox().get("/v1/invoices", query).status == 400)
    }

    @Test func `lines are listed in their order, and the invoice shows ten`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.draft()
        let lines = (0..<24).map { "lines[\($0)][amount]=\($0)" }.joined(separator: "&")
        let answer = sandbox.post("/v1/invoices/\(id)/add_lines", lines)
        #expect(answer["lines"]?["data"]?.elements?.count == 10)
        #expect(answer["lines"]?["has_more"]?.bool == true)
        var amounts: [Int] = []
        var cursor = ""
        for size in [10, 10, 5] {
            let page = sandbox.get("/v1/invoices/\(id)/lines", "limit=10\(cursor)")
            #expect(page.ids.count == size)
            #expect(page["has_more"]?.bool == (size == 10))
            amounts += page["data"]?.elements?.compactMap { $0["amount"]?.integer } ?? []
            cursor = "&starting_after=\(page.ids.last ?? "")"
        }
        #expect(amounts == [2_000] + Array(0..<24))
    }

    @Test func `events are listed by type, and for 30 days`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.open()
        #expect(
            sandbox.events() == [
                "customer.created", "invoice.created", "invoice.updated", "invoice.finalized",
            ])
        let types = "types[]=invoice.created&types[]=invoice.finalized"
        #expect(sandbox.events(types) == ["invoice.created", "invoice.finalized"])
        #expect(sandbox.events("type=invoice.*").count == 3)
        #expect(sandbox.get("/v1/events", "type=a&types[]=b").status == 400)
        let event = sandbox.get("/v1/events", "type=invoice.finalized").ids[0]
        let stored = sandbox.get("/v1/events/\(event)")["data"]?["object"]
        sandbox.post("/v1/invoices/\(id)/void")
        #expect(stored?["status"]?.text == "open")
        #expect(sandbox.get("/v1/events/\(event)")["data"]?["object"] == stored)
        sandbox.simulator.advance(seconds: 30 * 86_400)
        #expect(sandbox.get("/v1/events/\(event)").status == 200)
        sandbox.simulator.advance(seconds: 1)
        #expect(sandbox.get("/v1/events/\(event)").status == 404)
        #expect(sandbox.events().isEmpty)
    }
}
