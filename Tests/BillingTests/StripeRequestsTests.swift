import Exact
import Foundation
import Ledger
import Testing
import Usage

@testable import Billing

/// The bytes that go to Stripe. Expected: Python's urllib.parse.quote and hashlib.
struct StripeRequestsTests {
    private static func requests(
        _ usage: [MetricUsage], _ change: (inout Customer) -> Void = { _ in }
    ) throws -> [StripeRequest] {
        let calculation = try InvoiceCalculation(yaml: sampleCatalog)
        let invoice = try calculation.invoice(for: customer(change), usage)
        return StripeRequests(ledgerID: sampleLedgerID).requests(for: try Invoice(stored: invoice))
    }

    @Test func `an invoice that is mailed takes four requests, byte for byte`() throws {
        let requests = try Self.requests(usage("15000", "2100000000", "50", "0"))
        let key = "meterflow_inv_kybqrxi5nhwgmpxb3a44tvdx2y_acme_2026-10"
        #expect(
            requests == [
                StripeRequest(
                    step: .create, method: "POST", path: "/v1/invoices",
                    idempotencyKey: "\(key)_create_0",
                    body: "customer=cus_1&currency=usd&auto_advance=false"
                        + "&collection_method=send_invoice&days_until_due=30"
                        + "&pending_invoice_items_behavior=exclude"
                        + "&description=Usage%20from%202026-10-01T00%3A00%3A00Z"
                        + "%20until%202026-11-01T00%3A00%3A00Z%20%28UTC%29"
                        + "&metadata[meterflow_invoice_id]=inv_kybqrxi5nhwgmpxb3a44tvdx2y"
                        + "&metadata[meterflow_ledger_id]=5b0e3c0e-6b1f-4a53-9c58-0d8a4b1f6c21"
                        + "&metadata[meterflow_customer_id]=acme&metadata[meterflow_slot]=2026-10"),
                StripeRequest(
                    step: .addLines, method: "POST", path: "/v1/invoices/{invoice}/add_lines",
                    idempotencyKey: "\(key)_add_lines_0",
                    body: "lines[0][amount]=1150"
                        + "&lines[0][description]=api_calls%3A%2015000%20call"
                        + "&lines[0][period][start]=1790812800&lines[0][period][end]=1793491199"
                        + "&lines[0][metadata][meterflow_line_id]=line_qkx744ezukrbzr7pr2zkjwm3me"
                        + "&lines[1][amount]=2100000"
                        + "&lines[1][description]=bandwidth%3A%202100000000%20byte"
                        + "&lines[1][period][start]=1790812800&lines[1][period][end]=1793491199"
                        + "&lines[1][metadata][meterflow_line_id]=line_k5yzq3psx2c25iwt3enbjclm2y"
                        + "&lines[2][amount]=500"
                        + "&lines[2][description]=storage_peak%3A%2050%20GB"
                        + "&lines[2][period][start]=1790812800&lines[2][period][end]=1793491199"
                        + "&lines[2][metadata][meterflow_line_id]=line_ts24ookfs35sqwsqpu734yrdme"),
                StripeRequest(
                    step: .finalize, method: "POST", path: "/v1/invoices/{invoice}/finalize",
                    idempotencyKey: "\(key)_finalize_0", body: "auto_advance=false"),
                StripeRequest(
                    step: .send, method: "POST", path: "/v1/invoices/{invoice}/send",
                    idempotencyKey: "\(key)_send_0", body: ""),
            ])
    }

    @Test func `an invoice that Stripe collects takes four requests, byte for byte`() throws {
        let requests = try Self.requests(usage("0", "0", "50.5", "0")) {
            $0.customerID = "192.0.2.7"
            $0.stripeCustomerID = nil
            $0.timezone = "Asia/Kolkata"
            $0.collectionMethod = .chargeAutomatically
            $0.daysUntilDue = nil
        }
        let key =
            "meterflow_inv_4lglvi32rwhgo45ng4gmh3elsq_2ciplj56gvtwpsfr3yvcurguqu_2026-10"
        #expect(
            requests == [
                StripeRequest(
                    step: .create, method: "POST", path: "/v1/invoices",
                    idempotencyKey: "\(key)_create_0",
                    body: "customer=%7Bstripe_customer_id%7D&currency=usd&auto_advance=false"
                        + "&collection_method=charge_automatically"
                        + "&pending_invoice_items_behavior=exclude"
                        + "&description=Usage%20from%202026-09-30T18%3A30%3A00Z"
                        + "%20until%202026-10-31T18%3A30%3A00Z%20%28Asia%2FKolkata%29"
                        + "&metadata[meterflow_invoice_id]=inv_4lglvi32rwhgo45ng4gmh3elsq"
                        + "&metadata[meterflow_ledger_id]=5b0e3c0e-6b1f-4a53-9c58-0d8a4b1f6c21"
                        + "&metadata[meterflow_customer_id]=192.0.2.7"
                        + "&metadata[meterflow_slot]=2026-10"),
                StripeRequest(
                    step: .addLines, method: "POST", path: "/v1/invoices/{invoice}/add_lines",
                    idempotencyKey: "\(key)_add_lines_0",
                    body: "lines[0][amount]=505"
                        + "&lines[0][description]=storage_peak%3A%2050.5%20GB"
                        + "&lines[0][period][start]=1790793000&lines[0][period][end]=1793471399"
                        + "&lines[0][metadata][meterflow_line_id]=line_gioa5r5miqp7lxcxoj4qs362gi"),
                StripeRequest(
                    step: .finalize, method: "POST", path: "/v1/invoices/{invoice}/finalize",
                    idempotencyKey: "\(key)_finalize_0", body: "auto_advance=false"),
                StripeRequest(
                    step: .collect, method: "POST", path: "/v1/invoices/{invoice}",
                    idempotencyKey: "\(key)_collect_0", body: "auto_advance=true"),
            ])
    }

    @Test(arguments: Customer.CollectionMethod.allCases)
    func `nothing is mailed or collected before the last request`(
        method: Customer.CollectionMethod
    ) throws {
        let requests = try Self.requests(usage("1", "2", "3", "4")) { $0.collectionMethod = method }
        #expect(requests.map(\.step).dropLast() == [.create, .addLines, .finalize])
        for request in requests.dropLast() {
            #expect(!request.body.contains("auto_advance=true"))
            #expect(!request.path.hasSuffix("/send"))
        }
        #expect(requests.last?.step == (method == .sendInvoice ? .send : .collect))
    }

    @Test(arguments: ["a", "jane@example.com", "2001:db8::1", String(repeating: "日", count: 500)])
    func `keys are short enough, and each request has its own`(customerID: String) throws {
        let keys = try Self.requests(usage("1", "2", "3", "4")) { $0.customerID = customerID }
            .map(\.idempotencyKey)
        #expect(keys.allSatisfy { $0.utf8.count <= 255 })
        #expect(Set(keys).count == keys.count)
    }
}

struct StripeFormTests {
    @Test(arguments: [
        ("a&b=c+d%e", "a%26b%3Dc%2Bd%25e"), (" ", "%20"), ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("é日🧾", "%C3%A9%E6%97%A5%F0%9F%A7%BE"), ("[0]", "[0]"), ("-_.~", "-_.~"),
        ("\n\"'{}\u{0}", "%0A%22%27%7B%7D%00"), ("", ""), ("AZaz09", "AZaz09"), ("%20", "%2520"),
    ])
    func `all but unreserved characters and brackets is percent-encoded`(
        text: String, encoded: String
    ) {
        let form: StripeForm = [text: text]
        #expect(form.encoded == "\(encoded)=\(encoded)")
    }

    @Test func `parameters keep their order, and a name may come twice`() {
        var form: StripeForm = ["z": "1", "a": "2"]
        form.add("expand[]", "x")
        form.add("expand[]", "y")
        #expect(form.encoded == "z=1&a=2&expand[]=x&expand[]=y")
        #expect(StripeForm().encoded.isEmpty)
    }

    @Test func `what is encoded is decoded by Foundation as it was`() {
        var generator = SplitMix64(seed: 50)
        for _ in 0..<200 {
            let scalars = (0..<20).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator))
            }
            let text = String(String.UnicodeScalarView(scalars))
            let form: StripeForm = ["k": text]
            #expect(form.encoded.dropFirst(2).removingPercentEncoding == text)
            #expect(form.encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        }
    }
}
