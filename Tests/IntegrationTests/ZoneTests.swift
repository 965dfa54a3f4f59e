import Testing

/// A month is the customer's own: from the first moment of its first day in the customer's zone.
struct ZoneTests {
    /// April 2015, as `TZ=... date` gives it. Lord Howe leaves daylight saving time on the 5th.
    private static let april: [(zone: String, start: String, end: String)] = [
        ("UTC", "2015-04-01T00:00:00Z", "2015-05-01T00:00:00Z"),
        ("Asia/Kolkata", "2015-03-31T18:30:00Z", "2015-04-30T18:30:00Z"),
        ("Asia/Kathmandu", "2015-03-31T18:15:00Z", "2015-04-30T18:15:00Z"),
        ("Pacific/Kiritimati", "2015-03-31T10:00:00Z", "2015-04-30T10:00:00Z"),
        ("Pacific/Honolulu", "2015-04-01T10:00:00Z", "2015-05-01T10:00:00Z"),
        ("Australia/Lord_Howe", "2015-03-31T13:00:00Z", "2015-04-30T13:30:00Z"),
        ("Etc/GMT+12", "2015-04-01T12:00:00Z", "2015-05-01T12:00:00Z"),
    ]

    @Test func `an event on the border of a month is in exactly one month`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                Self.april.enumerated().reduce("customer_id,plan,currency,timezone\n") {
                    $0 + "c\($1.offset),basic,usd,\($1.element.zone)\n"
                })
            // A millisecond before each border, and on it; the bytes tell which events were counted.
            var rows: [String] = []
            for (index, month) in Self.april.enumerated() {
                let (start, end) = (milliseconds(month.start), milliseconds(month.end))
                for (time, bytes) in [(start - 1, 1), (start, 2), (end - 1, 4), (end, 8)] {
                    rows.append(
                        """
                        {"transaction_id":"t\(bytes)","customer_id":"c\(index)","event_type":"api_request",\
                        "timestamp":\(time),"properties":{"bytes":\(bytes)}}

                        """)
                }
            }
            try await stack.importEvents(rows)
            for slot in ["2015-03", "2015-04", "2015-05"] { _ = try await stack.bill(slot) }
            for (index, month) in Self.april.enumerated() {
                for (slot, bytes) in [("2015-03", "1"), ("2015-04", "6"), ("2015-05", "8")] {
                    let invoice = try await stack.invoice(of: "c\(index)", slot)
                    #expect(invoice.quantity(of: "bandwidth") == bytes, "\(month.zone) \(slot)")
                    #expect(invoice.timezone == month.zone)
                    if slot == "2015-04" {
                        #expect(invoice.periodStart == month.start)
                        #expect(invoice.periodEnd == month.end)
                    }
                }
            }
        }
    }

    /// From one side of the date line to the other, and back.
    @Test(arguments: [("Pacific/Kiritimati", "Etc/GMT+12"), ("Etc/GMT+12", "Pacific/Kiritimati")])
    func `a change of zone makes one longer or shorter period, without overlap or gap`(
        old: String, new: String
    ) async throws {
        try await withHourlyEvents(in: old) { stack in
            try await stack.moveCustomer(to: new)
            for slot in ["2015-03", "2015-04", "2015-05"] { _ = try await stack.bill(slot) }
            try await stack.expectWholeSpring(movedTo: new)
        }
    }

    @Test(arguments: [("Pacific/Kiritimati", "Etc/GMT+12"), ("Etc/GMT+12", "Pacific/Kiritimati")])
    func `a change of zone that is known only after the bill mends the month before`(
        old: String, new: String
    ) async throws {
        try await withHourlyEvents(in: old) { stack in
            for slot in ["2015-03", "2015-04"] { _ = try await stack.bill(slot) }
            try await stack.moveCustomer(to: new)
            for slot in ["2015-03", "2015-04", "2015-05"] { _ = try await stack.bill(slot) }
            try await stack.expectWholeSpring(movedTo: new)
            #expect(try await stack.count("invoices WHERE status = 'superseded'") == 1)
        }
    }

    /// April was billed up to a border that is none any more. Billing May alone must not pass that over:
    /// hours would be billed by neither month, or April's invoice is gone.
    @Test(arguments: [("Pacific/Kiritimati", "Etc/GMT+12"), ("Etc/GMT+12", "Pacific/Kiritimati")])
    func `billing the month after a change of zone says that the month before must be billed again`(
        old: String, new: String
    ) async throws {
        try await withHourlyEvents(in: old) { stack in
            _ = try await stack.bill("2015-04")
            try await stack.moveCustomer(to: new)
            // Until that is done: a timer that fires again must not make it look done.
            for _ in 1...2 {
                let result = try await stack.jobs("run", "bill", "--slot", "2015-05")
                #expect(result.status == 1, "\(result.output)")
                #expect(result.output.contains("bill 2015-04 again"))
            }
            #expect(try await stack.bill("2015-05", status: 1).billAgain == ["2015-04"])
            #expect(try await stack.bill("2015-04").billAgain.isEmpty)
            #expect(try await stack.bill("2015-05").billAgain.isEmpty)
        }
    }

    /// 10 days of events around the first of May, one an hour.
    private func withHourlyEvents(in zone: String, _ body: (Stack) async throws -> Void)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency,timezone\nacme,basic,usd,\(zone)\n")
            let start = milliseconds("2015-04-26T00:00:00Z")
            try await stack.importEvents(
                (0..<240).map { hour in
                    """
                    {"transaction_id":"h\(hour)","customer_id":"acme","event_type":"api_request",\
                    "timestamp":\(start + Int64(hour) * 3_600_000),"properties":{"bytes":1}}

                    """
                })
            try await body(stack)
        }
    }
}

extension Stack {
    fileprivate func moveCustomer(to zone: String) async throws {
        try await importCustomers(
            "customer_id,plan,currency,timezone\nacme,basic,usd,\(zone)\n", "--effective-from",
            "2015-05-01")
    }

    /// March, April and May follow each other, May begins in the new zone, and each hour is billed once.
    fileprivate func expectWholeSpring(
        movedTo zone: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let invoices = try await invoices("--customer", "acme")
        try #require(
            invoices.map(\.slot) == ["2015-03", "2015-04", "2015-05"],
            sourceLocation: sourceLocation)
        #expect(invoices[0].periodEnd == invoices[1].periodStart, sourceLocation: sourceLocation)
        #expect(invoices[1].periodEnd == invoices[2].periodStart, sourceLocation: sourceLocation)
        let mayStart = zone == "Etc/GMT+12" ? "2015-05-01T12:00:00Z" : "2015-04-30T10:00:00Z"
        #expect(invoices[2].periodStart == mayStart, sourceLocation: sourceLocation)
        let hours = invoices.compactMap { $0.quantity(of: "bandwidth").flatMap { Int($0) } }
        #expect(hours.reduce(0, +) == 240, sourceLocation: sourceLocation)
        let april = (milliseconds(mayStart) - milliseconds("2015-04-26T00:00:00Z")) / 3_600_000
        #expect(invoices[1].quantity(of: "bandwidth") == "\(april)", sourceLocation: sourceLocation)
    }
}
