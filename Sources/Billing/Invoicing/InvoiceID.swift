internal import Digest
package import Exact

/// Identities of what is billed, as pure functions of what they stand for: whoever computes the same
/// invoice, whenever and on whichever machine, names it the same.
package enum InvoiceID {
    /// `inv_` and 128 bits of SHA-256 in base 32, over length-prefixed parts.
    ///
    /// - Parameter ledgerID: lower-case UUID of the ledger.
    package static func invoice(
        ledgerID: String, customerID: String, start: Instant, end: Instant, kind: String,
        revision: Int
    ) -> String {
        "inv_"
            + digest([
                ledgerID, customerID, String(start.milliseconds), String(end.milliseconds), kind,
                String(revision),
            ])
    }

    /// - Parameter charge: the metric's code, `base_fee` or `minimum`.
    package static func line(invoiceID: String, charge: String) -> String {
        "line_" + digest([invoiceID, charge])
    }

    /// `meterflow_{invoice_id}_{customer_id}_{period}`: what Stripe's idempotency keys of an invoice start
    /// with. Stripe asks for no personal data in keys, and for at most 255 characters: customers named by
    /// an e-mail or IP address, and long ones, stand hashed.
    package static func requestKey(
        invoiceID: String, customerID: String, slot: String
    ) -> String {
        let isPersonal = customerID.contains("@") || looksLikeAddress(customerID)
        let customer =
            isPersonal || customerID.utf8.count > 128 ? digest([customerID]) : customerID
        return "meterflow_\(invoiceID)_\(customer)_\(slot)"
    }

    private static func looksLikeAddress(_ text: String) -> Bool {
        // Of "192.0.2.7:8080" the part before the port.
        let host = text.filter { $0 == ":" }.count == 1 ? text.prefix { $0 != ":" } : text[...]
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) { return true }
        return text.filter { $0 == ":" }.count >= 2
            && text.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }

    private static func digest(_ parts: [String]) -> String {
        base32(SHA256.hash(lengthPrefixed(parts)).prefix(16))
    }
}
