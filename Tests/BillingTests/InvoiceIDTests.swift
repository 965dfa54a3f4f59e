import Billing
import Exact
import Testing

/// The values are a contract: invoices that Stripe has seen are found again by them.
struct InvoiceIDTests {
    struct Vector: Sendable {
        let customerID: String
        let start: String
        let end: String
        var kind = "regular"
        var revision = 0
        let id: String
        /// Of the charges `base_fee`, `minimum` and `metric:api_calls`.
        let lines: [String]
    }

    // Computed with Python's hashlib and base64 from the documented parts.
    static let vectors = [
        Vector(
            customerID: "acme", start: "2026-10-01T00:00:00Z", end: "2026-11-01T00:00:00Z",
            id: "inv_kybqrxi5nhwgmpxb3a44tvdx2y",
            lines: [
                "line_celprjc4e7wavkom3skjnlvdky", "line_uhqgk3rriowbzj24cpev5xguxa",
                "line_qkx744ezukrbzr7pr2zkjwm3me",
            ]),
        Vector(
            customerID: "acme", start: "2026-09-30T18:30:00Z", end: "2026-10-31T18:30:00Z",
            id: "inv_42ph7isw3dlsrkw4gs7fkh5hra",
            lines: [
                "line_lhxixnm52qflggxv7anzzcaf3m", "line_tekeljgup3ag5nnvhi43vxhc3q",
                "line_i23wajoon2wymp7ggxnyuywvbm",
            ]),
        Vector(
            customerID: "acme", start: "2026-10-01T00:00:00Z", end: "2026-11-01T00:00:00Z",
            kind: "supplementary", revision: 1, id: "inv_af3y3ex5dmlyvapl3ivv6x4r6m",
            lines: [
                "line_lr7ii3zrkve2xjsoh6z6e4orj4", "line_z67znlvebk422n7qx4gyvt7xta",
                "line_c6xxlivqkbvzhrehvbodwixdna",
            ]),
        Vector(
            customerID: "küche-日本", start: "2015-05-01T00:00:00Z", end: "2015-06-01T00:00:00Z",
            id: "inv_p7nvsy3lrcwog7e5iya7wobfyy",
            lines: [
                "line_jay2jg676kwdnyj73xps3kfcjy", "line_uhki36dpqwvrcecwhwxobd3ffq",
                "line_tjprxnadbigenxdfrzdxpcvag4",
            ]),
        Vector(
            customerID: "192.0.2.7", start: "1969-12-01T00:00:00Z", end: "1970-01-01T00:00:00Z",
            revision: 12, id: "inv_fxrdgyeoyojnauxeplp5v5y4yu",
            lines: [
                "line_47yxp44zzsk7vhiym7nf6m43ai", "line_v6u7kerijw3ikpoh3dkbw723by",
                "line_ehsgoqjuopdgjh5ecg25sbf7z4",
            ]),
    ]

    @Test(arguments: vectors)
    func `ids are those that were written down`(vector: Vector) throws {
        let id = InvoiceID.invoice(
            ledgerID: sampleLedgerID, customerID: vector.customerID,
            start: try #require(Instant(vector.start)), end: try #require(Instant(vector.end)),
            kind: vector.kind, revision: vector.revision)
        #expect(id == vector.id)
        let charges = ["base_fee", "minimum", "metric:api_calls"]
        #expect(charges.map { InvoiceID.line(invoiceID: id, charge: $0) } == vector.lines)
    }

    @Test func `every part makes a difference`() {
        func id(
            ledger: String = "l", customer: String = "c", start: Int64 = 1, end: Int64 = 2,
            kind: String = "regular", revision: Int = 0
        ) -> String {
            InvoiceID.invoice(
                ledgerID: ledger, customerID: customer, start: Instant(milliseconds: start),
                end: Instant(milliseconds: end), kind: kind, revision: revision)
        }
        let ids = [
            id(), id(ledger: "m"), id(customer: "C"), id(start: 0), id(start: -1), id(end: 3),
            id(kind: "supplementary"), id(revision: 1),
            // What reads the same when it is joined without lengths.
            id(ledger: "lc", customer: ""), id(ledger: "", customer: "lc"), id(start: 12, end: 2),
            id(start: 1, end: 22), id(kind: "regular0", revision: 0), id(customer: "c1", start: 1),
        ]
        #expect(Set(ids).count == ids.count)
        #expect(id() == id())
    }

    @Test func `lines of one invoice, and one charge of two invoices, differ`() {
        let ids = ["inv_a", "inv_b"].flatMap { invoice in
            ["base_fee", "minimum", "metric:base_fee", "metric:minimum", "metric:a"].map {
                InvoiceID.line(invoiceID: invoice, charge: $0)
            }
        }
        #expect(Set(ids).count == ids.count)
    }

    // MARK: Keys

    private func key(_ customerID: String) -> String {
        InvoiceID.requestKey(
            invoiceID: Self.vectors[0].id, customerID: customerID, slot: "2026-10")
    }

    @Test(arguments: [
        "acme", "Acme-2_b.c:d", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.x", "a.b.c.d", "1..2.3",
        "10:30", "cafe:beef", "team:dev:eu", "host.example.com", String(repeating: "x", count: 128),
    ])
    func `a customer's id stands in the key`(customerID: String) {
        #expect(key(customerID) == "meterflow_\(Self.vectors[0].id)_\(customerID)_2026-10")
    }

    // Hashes computed with Python's hashlib and base64.
    @Test(arguments: [
        ("192.0.2.7", "2ciplj56gvtwpsfr3yvcurguqu"), ("2001:db8::1", "4jacughbexiss7ojjsxagk45nm"),
        ("::1", "wdzxjzdpzqbakpwpwc5fg5jt44"), ("::ffff:192.0.2.7", "kn7vfmqwaedumvs725dcimsmfq"),
        ("fe80::", "2vnlawhn4tbe23jhltuyptaovm"),
        ("jane@example.com", "gtvds2l66g7qdsebp7vgjq54ru"),
        (String(repeating: "x", count: 129), "g2tvzt2m3hf7mw2s7md6bbk6bq"),
    ])
    func `addresses, e-mails and long ids stand hashed in the key`(
        customerID: String, hash: String
    ) {
        #expect(key(customerID) == "meterflow_\(Self.vectors[0].id)_\(hash)_2026-10")
    }

    @Test(arguments: [
        "0.0.0.0", "255.255.255.255", "2001:DB8:0:0:0:0:0:1", "fe80::1ff:fe23:4567:890a",
        "a@b", "@", "mailto:jane@example.com",
    ])
    func `nothing of a personal id is in the key`(customerID: String) {
        #expect(!key(customerID).contains(customerID))
    }

    @Test(arguments: [0, 1, 26, 128, 129, 255, 10_000])
    func `a key has room for a suffix of twenty`(length: Int) {
        for letter in ["x", "日", "🧾"] {
            let key = key(String(repeating: letter, count: length))
            #expect(key.utf8.count + 20 <= 255)
        }
    }
}
